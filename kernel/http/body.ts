// Reads request bodies: media type first, then size, then JSON. Each step is a function of its
// own, because the pipeline authorises and answers 412 between routing and reading.

import { parse as parseContentType } from "content-type";
import type { IncomingMessage } from "node:http";
import { JsonError, parseJson, type Json } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";
import { sendContinue } from "./continue.ts";
import { singleHeader } from "./headers.ts";

export interface ReadOptions {
  maxBytes: number;
}

export interface JsonOptions extends ReadOptions {
  /** In lower case, without parameters. */
  mediaTypes: readonly string[];
}

/** The whole way: 415, then 413, then 400 `MALFORMED_JSON` (also for an empty body). */
export async function readJson(request: IncomingMessage, options: JsonOptions): Promise<Json> {
  requireMediaType(request, options.mediaTypes);
  return parseJsonBody(await readBytes(request, options));
}

/**
 * Refuses with 415 a body that is not one of `mediaTypes` in UTF-8 and unencoded, and returns the
 * media type. Reads nothing. The answer names what would be accepted (`Accept-Patch` on PATCH).
 */
export function requireMediaType(request: IncomingMessage, mediaTypes: readonly string[]): string {
  const header = singleHeader(request, "content-type");
  const accepted = mediaTypes.join(", ");
  const headers = { [request.method === "PATCH" ? "accept-patch" : "accept"]: accepted };
  if (header === undefined) throw unsupported(`Content-Type is missing; send ${accepted}`, headers);
  const { type, parameters } = parseContentType(header);
  if (!mediaTypes.includes(type)) throw unsupported(`The body must be ${accepted}`, headers);
  if (parameters["charset"] !== undefined && parameters["charset"].toLowerCase() !== "utf-8") {
    throw unsupported("The charset of the body must be UTF-8", headers);
  }
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    throw unsupported("The body may not be compressed", { "accept-encoding": "identity" });
  }
  return type;
}

/**
 * Reads the body, at most once per request. Refuses with 413 from Content-Length before the first
 * byte, else as soon as the limit is passed; the rest is not read here (`send` then closes the
 * connection after the answer). A client that goes away gets a 400 nobody will see.
 */
export function readBytes(request: IncomingMessage, { maxBytes }: ReadOptions): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  // Requests without a body arrive already ended and emit nothing more.
  if (request.readableEnded) return Promise.resolve(new Uint8Array());
  if (request.destroyed) return Promise.reject(cutShort());
  sendContinue(request);
  return new Promise((resolve, reject) => {
    const gathered = gather(maxBytes);
    const onData = (chunk: Uint8Array) => {
      if (gathered.add(chunk)) return;
      request.pause();
      settle(() => reject(tooLarge(maxBytes)));
    };
    const onEnd = () => settle(() => resolve(gathered.bytes()));
    const onGone = (cause?: unknown) => settle(() => reject(cutShort(cause)));
    const settle = (outcome: () => void) => {
      request.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      outcome();
    };
    request.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
  });
}

const firstBufferBytes = 4096;

/**
 * Joins the pieces of a body, up to `maxBytes`; a piece beyond them is not taken. Pieces are copied into one
 * buffer that doubles: kept as they came, a million chunks of one byte would be a million objects, each of which
 * holds on to the whole block it was received in. Most bodies are one piece, and that one is not copied.
 */
export function gather(maxBytes: number): { add(piece: Uint8Array): boolean; bytes(): Uint8Array } {
  let buffer: Uint8Array = new Uint8Array();
  let size = 0;
  return {
    add(piece) {
      const needed = size + piece.byteLength;
      if (needed > maxBytes) return false;
      if (size === 0) buffer = piece;
      else {
        if (needed > buffer.byteLength) buffer = grown(buffer, size, Math.min(maxBytes, Math.max(needed, 2 * size)));
        buffer.set(piece, size);
      }
      size = needed;
      return true;
    },
    bytes: () => buffer.subarray(0, size),
  };
}

function grown(buffer: Uint8Array, size: number, bytes: number): Uint8Array {
  const larger = Buffer.allocUnsafe(Math.max(firstBufferBytes, bytes));
  larger.set(buffer.subarray(0, size));
  return larger;
}

/** Parses strictly (see `parseJson`); every refusal is 400 `MALFORMED_JSON`. */
export function parseJsonBody(bytes: Uint8Array): Json {
  if (bytes.byteLength === 0) throw new Failure(errors.malformedJson, "The body is empty; send JSON");
  try {
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof JsonError) throw new Failure(errors.malformedJson, error.message, { cause: error });
    throw error;
  }
}

function unsupported(message: string, headers: Record<string, string>): Failure {
  return new Failure(errors.unsupportedMediaType, message, { headers });
}

function tooLarge(maxBytes: number): Failure {
  return new Failure(errors.payloadTooLarge, `The body may be at most ${maxBytes} bytes`);
}

function cutShort(cause?: unknown): Failure {
  return new Failure(errors.badRequest, "The body ended before it was complete", { cause });
}
