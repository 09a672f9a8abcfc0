// Writes an answer: the one place where bytes leave.
//
// Headers go to node as one flat array, the form it copies to the wire without building an
// object of its own. Names in an `Answer` are lower case so that they can be looked up, and are
// written the way the documentation writes them.

import type { IncomingMessage, ServerResponse } from "node:http";
import { chooseEncoding, compress, type Encoding } from "./encoding.ts";
import { encodedTag } from "./etag.ts";
import { headerName } from "./headers.ts";

export interface Answer {
  status: number;
  /** Names in lower case. An array becomes one line per value. */
  headers: Readonly<Record<string, string | readonly string[]>>;
  body?: string | Uint8Array;
}

export interface SendOptions {
  requestId: string;
  /** Compression by Accept-Encoding. Off unless asked for: tokens must never share a compressed body with input. */
  compress?: boolean;
}

const contentPolicy = "default-src 'none'; frame-ancestors 'none'";
const json = "application/json; charset=utf-8";

/** How much of an unread body is thrown away to keep a connection; beyond that it is closed. */
export const discardedBytesMax = 64 * 1024;

/**
 * Sends an answer with the headers every answer has and a true Content-Length. HEAD gets what GET
 * gets, without the body. Returns a promise only when the body must be compressed first. Does
 * nothing when the client is gone or an answer was sent already.
 */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  options: SendOptions,
): Promise<void> | undefined {
  const { body } = answer;
  const encoding = encodingOf(request, answer, options);
  if (encoding === "identity" || body === undefined) {
    write(request, response, answer, options, encoding, body);
    return undefined;
  }
  return compress(body, encoding).then((bytes) => write(request, response, answer, options, encoding, bytes));
}

/** The ETag `send` will put on this answer, to compare with If-None-Match before sending. */
export function finalTag(request: IncomingMessage, answer: Answer, options: SendOptions): string | undefined {
  const etag = answer.headers["etag"];
  return typeof etag === "string" ? encodedTag(etag, encodingOf(request, answer, options)) : undefined;
}

/** The 304 for an answer that the client already has under `tag` (from `finalTag`). */
export function notModified(answer: Answer, tag: string): Answer {
  const headers: Record<string, string | readonly string[]> = { ...answer.headers, etag: tag };
  delete headers["content-type"];
  return { status: 304, headers };
}

function encodingOf(request: IncomingMessage, { status, headers, body }: Answer, options: SendOptions): Encoding {
  if (options.compress !== true || body === undefined || !hasBody(status)) return "identity";
  if (headers["content-encoding"] !== undefined) return "identity";
  const accepted = request.headers["accept-encoding"];
  return accepted === undefined ? "identity" : chooseEncoding(accepted, Buffer.byteLength(body));
}

function write(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  options: SendOptions,
  encoding: Encoding,
  body: string | Uint8Array | undefined,
): void {
  if (response.headersSent || response.destroyed) return;
  const lines = headerLines(answer, options, encoding, body);
  if (isBodyLeftUnread(request)) lines.push("Connection", "close");
  response.writeHead(answer.status, lines as string[]);
  if (request.method === "HEAD" || body === undefined || !hasBody(answer.status)) response.end();
  else response.end(body);
}

/** Every header of an answer, flat: name, value, name, value. */
export function headerLines(
  answer: Answer,
  { requestId, compress }: SendOptions,
  encoding: Encoding = "identity",
  body: string | Uint8Array | undefined = answer.body,
): (string | readonly string[])[] {
  const { status, headers } = answer;
  const lines: (string | readonly string[])[] = ["X-Request-Id", requestId, "X-Content-Type-Options", "nosniff"];
  for (const name in headers) {
    if (name === "vary" || name === "etag") continue;
    lines.push(headerName(name), headers[name]!);
  }
  if (headers["content-security-policy"] === undefined) lines.push("Content-Security-Policy", contentPolicy);
  const { etag, vary } = headers;
  if (etag !== undefined) lines.push("ETag", encodedTag(String(etag), encoding));
  if (compress === true && status !== 204)
    lines.push("Vary", vary === undefined ? "Accept-Encoding" : `${String(vary)}, Accept-Encoding`);
  else if (vary !== undefined) lines.push("Vary", String(vary));
  if (encoding !== "identity") lines.push("Content-Encoding", encoding);
  if (hasBody(status)) {
    if (headers["content-type"] === undefined && body !== undefined) lines.push("Content-Type", json);
    lines.push("Content-Length", String(body === undefined ? 0 : Buffer.byteLength(body)));
  }
  return lines;
}

/** 204 and 304 end with their headers. */
function hasBody(status: number): boolean {
  return status !== 204 && status !== 304;
}

/** True when too much of the request's body is still to come to read it for nothing. */
function isBodyLeftUnread(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  return coding !== undefined || (length !== undefined && Number(length) > discardedBytesMax);
}
