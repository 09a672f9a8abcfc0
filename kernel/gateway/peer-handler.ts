// What other processes of the system ask of the services in this one, by HTTP.

import type { IncomingMessage, ServerResponse } from "node:http";
import { errors, Failure, notFound } from "../contract/index.ts";
import { errorAnswer, type HttpHandler, readBytes, send } from "../http/index.ts";
import { createPeerWork, outcomeText, type PeerOptions, type PeerWork } from "./peer-work.ts";
import { peerClaims } from "./peer-claims.ts";

const bodyBytesMax = 32 * 1024 * 1024;

/** Answers what comes from peers; `otherwise` gets the rest. */
export function createPeerHandler(options: PeerOptions, otherwise: HttpHandler): HttpHandler {
  const work = createPeerWork(options);
  return (message, response, requestId) =>
    message.url!.startsWith("/.ashlar/")
      ? answerPeer(options, work.get(message.url!), message, response, requestId)
      : otherwise(message, response, requestId);
}

async function answerPeer(
  { tokens, log }: PeerOptions,
  work: PeerWork | undefined,
  message: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Failure(errors.unavailable, "The caller went away")));
  try {
    if (work === undefined) throw notFound();
    const claims = peerClaims(tokens, message, work, "Only for services of this system");
    const bytes = await readBytes(message, { maxBytes: bodyBytesMax });
    const body = await outcomeText(work, bytes, claims, gone.signal, log);
    await send(message, response, { status: 200, headers: { "cache-control": "no-store" }, body }, { requestId });
  } catch (error) {
    log.warn({ requestId, err: error }, "A peer was refused");
    await send(message, response, errorAnswer(error, requestId), { requestId });
  }
}
