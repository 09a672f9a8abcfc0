// What peers may ask of the services in this process: calls, and events to receive. Whichever way they ask.

import type { Clock, Logger } from "../base/index.ts";
import { type CallInput, callPath, checkInput, createDeadline } from "../call/index.ts";
import { type AnyOperation, type Envelope, errors, Failure, type Named } from "../contract/index.ts";
import type { Bus } from "../events/index.ts";
import { eventsPath, outcomeOf, type PeerTokens } from "../peer/index.ts";
import type { RunningService } from "../service/index.ts";

export interface PeerOptions {
  services: ReadonlyMap<string, RunningService>;
  bus: Bus;
  tokens: PeerTokens;
  clock: Clock;
  log: Logger;
}

export interface PeerWork {
  readonly audience: string;
  readonly use: string;
  run(body: unknown, claims: Readonly<Record<string, unknown>>, gone: AbortSignal): Promise<unknown>;
}

/** By path. */
export function createPeerWork(options: PeerOptions): ReadonlyMap<string, PeerWork> {
  const work = new Map<string, PeerWork>();
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
  return work;
}

/** Does it, and answers how it ended, as a peer is told. */
export async function outcomeText(
  work: PeerWork,
  body: Uint8Array | string,
  claims: Readonly<Record<string, unknown>>,
  gone: AbortSignal,
  log: Logger,
): Promise<string> {
  const input = readPeer(body);
  try {
    return JSON.stringify({ value: await work.run(input, claims, gone) });
  } catch (error) {
    return JSON.stringify(outcomeOf(error, { use: work.use, requestId: String(claims["requestId"]), log }));
  }
}

/** All that a call within this process may carry: what is refused of clients for their sake, peers may say. */
function readPeer(body: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof body === "string" ? body : Buffer.from(body).toString());
  } catch (cause) {
    throw new Failure(errors.malformedJson, "The body is not JSON", { cause });
  }
}

async function answerCall(
  { clock }: PeerOptions,
  { target }: RunningService,
  operation: Named<AnyOperation>,
  body: unknown,
  { from, requestId, traceparent, remainingMs }: Readonly<Record<string, unknown>>,
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
