// Logs: readable lines on a terminal, one JSON object per line elsewhere.

import { createRequire } from "node:module";
import pino from "pino";
import type pretty from "pino-pretty";
import type { Logger, LogFields } from "../base/index.ts";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

// Wherever a secret might slip into fields, its value is not written.
const secrets = [
  "password",
  "newPassword",
  "currentPassword",
  "passwordHash",
  "accessToken",
  "refreshToken",
  "token",
  "authorization",
  "cookie",
];

export function createLogger(options: {
  level: LogLevel;
  readable: boolean;
  destination?: NodeJS.WritableStream & { write(text: string): unknown };
}): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: [...secrets, ...secrets.map((name) => `*.${name}`)], censor: "[redacted]" },
  };
  const destination = options.destination ?? process.stdout;
  const stream = options.readable ? forTerminal({ ...readable(), destination, sync: true }) : destination;
  return adapt(pino(settings, stream));
}

/** A line of a log as a person reads it; what is no such line stays as it is. */
export function createLineReader(): (line: string) => string {
  const read = loadPretty().prettyFactory(readable());
  return (line) => read(printable(line));
}

/** Loaded where a person reads: a server that writes JSON has no use for it. */
function loadPretty(): typeof pretty {
  return createRequire(import.meta.url)("pino-pretty") as typeof pretty;
}

function readable(): pretty.PrettyOptions {
  return {
    colorize: process.stdout.isTTY && process.stdout.hasColors(),
    // A request is one short line; its id stays, since a 500 names it.
    messageFormat: ({ method, path, status, durationMs, job, msg }) =>
      inOneLine(
        method === undefined
          ? `${job === undefined ? "" : `${job}: `}${msg}`
          : `${method} ${path} ${status} ${durationMs} ms`,
      ),
    ignore: "service,method,path,status,durationMs,job",
    translateTime: "HH:MM:ss",
    singleLine: true,
  };
}

/** A terminal obeys control characters, and an error may quote what a client sent: they are shown, not obeyed. */
function forTerminal(options: pretty.PrettyOptions): pino.DestinationStream {
  const stream = loadPretty()(options);
  return { write: (line) => void stream.write(printable(line)) };
}

/**
 * JSON whose strings say `\u001b` in letters where they held the character. Line feeds stay: stacks have
 * them, and are indented.
 */
function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex -- C1 controls are not escaped in JSON
  return line.replaceAll(/\\(?:[\\brf]|u00[01][\da-f])|[\u007f-\u009f]/g, (found) => {
    if (found === "\\\\") return found;
    return found.length > 1 ? `\\${found}` : `\\\\u00${found.charCodeAt(0).toString(16)}`;
  });
}

function inOneLine(text: string): string {
  return text.replaceAll("\n", String.raw`\n`);
}

function adapt(logger: pino.Logger): Logger {
  const line = (level: "debug" | "info" | "warn" | "error") => (fields: LogFields, message: string) =>
    logger[level](fields, message);
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    child: (fields) => adapt(logger.child(fields)),
  };
}
