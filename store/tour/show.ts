// How the tour looks: in colour on a terminal, plain elsewhere.

import { STATUS_CODES } from "node:http";
import { styleText } from "node:util";
import type { Answer, Line, Person } from "./stage.ts";

const usualHeaders = ["location", "etag", "retry-after", "www-authenticate", "idempotent-replayed"];
const width = 110;
const linesMax = 6;
const secretMax = 24;

export function showChapter(title: string): void {
  show(`\n${styleText(["bold", "cyan"], title)}\n`);
}

export function showNote(note: string): void {
  show(`   ${styleText("dim", note)}\n`);
}

export function showRequest({ name }: Person, { method, path, headers, body }: Line): void {
  show(`\n${styleText("bold", `-> ${method} ${path}`)} ${styleText("dim", `(${name})`)}\n`);
  for (const [header, value] of Object.entries(headers ?? {})) showNote(`${header}: ${value}`);
  if (body !== undefined) showBody(body);
}

export function showAnswer({ status, headers, body }: Answer<unknown>, { look = [] }: Line): void {
  const colour = status < 400 ? "green" : status < 500 ? "yellow" : "red";
  show(`${styleText(colour, `<- ${status} ${STATUS_CODES[status] ?? ""}`)}\n`);
  for (const header of [...usualHeaders, ...look]) {
    const value = headers.get(header);
    if (value !== null) showNote(`${header}: ${value}`);
  }
  if (body !== undefined) showBody(body);
}

export function showEvent(event: { timestamp: string; type: string; aggregateId: string; data: unknown }): void {
  show(`${styleText("dim", event.timestamp)}  ${styleText("bold", event.type.padEnd(16))} ${event.aggregateId}\n`);
  showNote(shorten(JSON.stringify(withoutSecrets(event.data))));
}

export function showEnd(text: string, colour: "green" | "red"): void {
  show(`\n${styleText(colour, text)}\n`);
}

/** One line where it fits, else one line for each property, and of a long list its beginning. */
function showBody(body: object): void {
  const safe = withoutSecrets(body);
  const oneLine = JSON.stringify(safe);
  if (oneLine.length <= width) return show(`   ${oneLine}\n`);
  const lines = Object.entries(safe as object).flatMap(([name, value]) => linesOf(name, value));
  for (const line of lines) show(`   ${line}\n`);
}

function linesOf(name: string, value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) return [`${name}: ${shorten(JSON.stringify(value))}`];
  const shown = value.slice(0, linesMax).map((item) => `  ${shorten(JSON.stringify(item))}`);
  return [`${name}:`, ...shown, ...(value.length > linesMax ? [`  and ${value.length - linesMax} more`] : [])];
}

function shorten(text: string): string {
  return text.length > width ? `${text.slice(0, width - 3)}...` : text;
}

/** Screens are shared and recorded. */
function withoutSecrets(value: unknown): unknown {
  const hide = (name: string, inner: unknown) => (/Token$/.test(name) ? `${String(inner).slice(0, secretMax)}...` : /password/i.test(name) ? "********" : inner);
  return JSON.parse(JSON.stringify(value ?? null, (name, inner: unknown) => (typeof inner === "string" ? hide(name, inner) : inner)));
}

function show(text: string): void {
  process.stdout.write(text);
}
