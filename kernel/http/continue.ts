// `Expect: 100-continue`: the client holds its body back until told to send it.
//
// node answers 100 before anybody looked at the request. Here it is answered when the body is
// first read, so a request that is refused (401, 413, 415) never sends its body at all.

import type { IncomingMessage, ServerResponse } from "node:http";

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

export function holdContinue(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, response);
}

/** Tells a waiting client to send its body. Does nothing for others, or the second time. */
export function sendContinue(request: IncomingMessage): void {
  if (request.headers.expect === undefined) return;
  const response = waiting.get(request);
  waiting.delete(request);
  if (response !== undefined && !response.headersSent && !response.destroyed) response.writeContinue();
}
