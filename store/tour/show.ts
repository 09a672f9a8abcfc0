// How the tour looks: in colour on a terminal, plain elsewhere.

import { STATUS_CODES } from "node:http";
import { styleText } from "node:util";
import type { Answer, Line, Person } from "./stage.ts";

const usualHeaders = ["location", "etag", "retry-after", "www-authenticate", "idempotent-replayed"];
const width = 110;
const itemsMax = 5;
const tokenEnd = 8;

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

function showBody(body: unknown): void {
  for (const line of linesOf(withoutSecrets(body))) show(`   ${line}\n`);
}

/** One line where it fits; else short properties share lines, and of a long list the beginning is shown. */
function linesOf(value: unknown): string[] {
  const oneLine = JSON.stringify(value);
  if (oneLine.length <= width || typeof value !== "object" || value === null) return [shorten(oneLine)];
  if (Array.isArray(value)) {
    const shown = value.slice(0, itemsMax).map((item) => shorten(JSON.stringify(item)));
    return value.length > itemsMax ? [...shown, `and ${value.length - itemsMax} more`] : shown;
  }
  const lines: string[] = [];
  for (const [name, inner] of Object.entries(value)) {
    const last = lines.at(-1);
    const property = `${name}: ${JSON.stringify(inner)}`;
    if (property.length > width && typeof inner === "object")
      lines.push(`${name}:`, ...linesOf(inner).map((line) => `  ${line}`));
    else if (last === undefined || last.startsWith(" ") || last.length + property.length > width)
      lines.push(shorten(property));
    else lines[lines.length - 1] = `${last}  ${property}`;
  }
  return lines;
}

function shorten(text: string): string {
  return text.length > width ? `${text.slice(0, width - 3)}...` : text;
}

/** Screens are shared and recorded. */
function withoutSecrets(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, inner: unknown) => (typeof inner === "string" ? hidden(name, inner) : inner)),
  );
}

function hidden(name: string, value: string): string {
  if (/password/i.test(name)) return "********";
  // The end is what tells two of them apart, and proves nothing to anybody.
  return name.endsWith("Token") ? `...${value.slice(-tokenEnd)}` : value;
}

function show(text: string): void {
  process.stdout.write(text);
}
