// A request handed on and its answer handed back, on undici's lowest level: no streams of its own between the
// connection to a service and the connection to a client.

import type { Writable } from "node:stream";
import type { Dispatcher } from "undici";

/** Starts the answer: status and headers as they came, flat. What it returns takes the body. */
export type Begin = (status: number, headers: readonly string[]) => Writable;

/**
 * A body up to here that comes in one piece goes out with its headers, as one text: node writes those and a buffer
 * as two, which costs twice as much.
 */
const oneWriteBytesMax = 16 * 1024;

/**
 * Resolves when the answer was handed over whole. Rejects when it breaks off: before `begin` was called nobody knows
 * of it, afterwards a part has gone out. A reader that is slow slows down the service.
 */
export function relay(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
  begin: Begin,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let into: Writable | undefined;
    let [bytesLeft, last]: [number | undefined, Buffer | undefined] = [undefined, undefined];
    let abort = () => {};
    dispatcher.dispatch(options, {
      onRequestStart(controller) {
        abort = () => controller.abort(signal.reason as Error);
        if (signal.aborted) abort();
        else signal.addEventListener("abort", abort, { once: true });
      },
      onResponseStart(controller, status) {
        // 100 and 103 come before the answer.
        if (status < 200) return;
        const headers = textsOf(controller.rawHeaders as Buffer[]);
        bytesLeft = lengthOf(headers);
        into = begin(status, headers);
      },
      onResponseData(controller, chunk) {
        if (chunk.length === bytesLeft && chunk.length <= oneWriteBytesMax) {
          last = chunk;
          return;
        }
        bytesLeft = undefined;
        if (into!.write(chunk)) return;
        controller.pause();
        into!.once("drain", () => controller.resume());
      },
      onResponseEnd() {
        signal.removeEventListener("abort", abort);
        if (last === undefined) into!.end();
        else into!.end(last.toString("latin1"), "latin1");
        resolve();
      },
      onResponseError(_, error) {
        signal.removeEventListener("abort", abort);
        reject(error);
      },
    });
  });
}

/** Of a body that says it. */
function lengthOf(headers: readonly string[]): number | undefined {
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index]!.length === "content-length".length && headers[index]!.toLowerCase() === "content-length")
      return Number(headers[index + 1]);
  return undefined;
}

/** The bytes of a header are latin1 on both sides. */
function textsOf(headers: readonly Buffer[]): string[] {
  return headers.map((bytes) => bytes.toString("latin1"));
}
