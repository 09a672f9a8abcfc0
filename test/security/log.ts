// A log as it is written in production, kept to be looked at.

import { Writable } from "node:stream";
import type { Logger } from "ashlar/base";
import { createLogger, type LogLevel } from "ashlar/runtime";

export interface CapturedLog {
  logger: Logger;
  text(): string;
  /** Fails when a line is not one JSON object. */
  lines(): Record<string, unknown>[];
}

export function captureLog(level: LogLevel): CapturedLog {
  let text = "";
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return {
    logger: createLogger({ level, readable: false, destination }),
    text: () => text,
    lines: () =>
      text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
