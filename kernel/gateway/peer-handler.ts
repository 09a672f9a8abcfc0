// What other processes of the system ask of the services in this one: calls, and events to receive.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Logger } from "../base/index.ts";
import { type CallInput, callPath, checkInput, createDeadline } from "../call/index.ts";
import { type AnyOperation, type Envelope, errors, Failure, type Named, notFound } from "../contract/index.ts";
import type { Bus } from "../events/index.ts";
import { errorAnswer, type HttpHandler, readBytes, send } from "../http/index.ts";
import { eventsPath, outcomeOf, type PeerClaims, type PeerTokens } from "../peer/index.ts";
import type { RunningService } from "../service/index.ts";
import { peerClaims } from "./peer-claims.ts";

export interface PeerHandlerOptions {
  services: ReadonlyMap<string, RunningService>;
  bus: Bus;
  tokens: PeerTokens;
  clock: Clock;
  log: Logger;
}

const bodyBytesMax = 32 * 1024 * 1024;

/** Answers what comes from peers; `otherwise` gets the rest. */
export function createPeerHandler(options: PeerHandlerOptions, otherwise: HttpHandler): HttpHandler {
  const work = new Map<string, Work>();
  for (const service of options.services.values()) {
    const { name, allOperations } = service.contract;
    work.set(eventsPath(name), {
      audience: name,
      use: `events ${name}`,
      run: (body) => options.bus.deliver(name, body as Envelope[]),
    });
    for (const operation of Object.values(allOperations))
      work.set(callPath(name, operation.name), {
        audience: name,
        use: `call ${name}.${operation.name}`,
        run: (body, claims, gone) => answerCall(options, service, operation, body, claims, gone),
      });
  }
  return (message, response, requestId) =>
    message.url!.startsWith("/.ashlar/")
      ? answerPeer(options, work.get(message.url!), message, response, requestId)
      : otherwise(message, response, requestId);
}

interface Work {
  audience: string;
  use: string;
  run(body: unknown, claims: PeerClaims, gone: AbortSignal): Promise<unknown>;
}

async function answerPeer(
  { tokens, log }: PeerHandlerOptions,
  work: Work | undefined,
  message: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Failure(errors.unavailable, "The caller went away")));
  try {
    if (work === undefined) throw notFound();
    const claims = peerClaims(tokens, message, work, "Only for services of this system");
    const body = readPeer(await readBytes(message, { maxBytes: bodyBytesMax }));
    const outcome = await work
      .run(body, claims, gone.signal)
      .then((value) => JSON.stringify({ value }))
      .catch((error: unknown) =>
        JSON.stringify(outcomeOf(error, { use: work.use, requestId: String(claims.requestId), log })),
      );
    await send(
      message,
      response,
      { status: 200, headers: { "cache-control": "no-store" }, body: outcome },
      { requestId },
    );
  } catch (error) {
    log.warn({ requestId, err: error }, "A peer was refused");
    await send(message, response, errorAnswer(error, requestId), { requestId });
  }
}

/** All that a call within this process may carry: what is refused of clients for their sake, peers may say. */
function readPeer(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new Failure(errors.malformedJson, "The body is not JSON", { cause });
  }
}

async function answerCall(
  { clock }: PeerHandlerOptions,
  { target }: RunningService,
  operation: Named<AnyOperation>,
  body: unknown,
  { from, requestId, traceparent, remainingMs }: PeerClaims,
  gone: AbortSignal,
): Promise<unknown> {
  const input = readInput(operation, body, String(from));
  const deadline = createDeadline(clock, Number(remainingMs), gone);
  const call = {
    from: String(from),
    requestId: String(requestId),
    traceparent: traceparent as string | undefined,
    deadline,
  };
  return target.invoke(operation.name, input, call).finally(() => deadline.end());
}

/** The caller looked, too; but it may be of another version. Not a 400, which would tell the client that it was its fault. */
function readInput(operation: Named<AnyOperation>, body: unknown, from: string): CallInput {
  const details = checkInput(operation, body as CallInput);
  if (details.length === 0) return body as CallInput;
  throw new Failure(errors.badGateway, `Service ${operation.service} did not understand service ${from}`, {
    cause: new Error(details.map(({ field, message }) => `${field} ${message}`).join("; ")),
  });
}
