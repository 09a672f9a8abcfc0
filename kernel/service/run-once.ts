// One run under an Idempotency-Key, or the answer of the one that was.

import type { Caller } from "../auth/index.ts";
import { type Answer, invalidHeader } from "../http/index.ts";
import { type Encoding, encodeResult } from "./encode.ts";
import type { Exchange, PipelineOptions } from "./exchange.ts";
import {
  createIdempotentRun,
  findRecord,
  type IdempotentRequest,
  type IdempotentRun,
  idempotentRequest,
  inProgress,
  readIdempotencyKey,
  RunElsewhere,
} from "./idempotency.ts";
import type { Route } from "./routes.ts";
import type { RunningService } from "./running.ts";

interface OnceOptions {
  key: string;
  path: string;
  sent: unknown;
  encoding: Encoding;
  running: Set<string>;
  run: (facts: { idempotent: IdempotentRun }) => Promise<unknown>;
}

/** Runs an operation under an Idempotency-Key, or replays what its first run answered. */
export async function runOnce(
  options: PipelineOptions,
  exchange: Exchange,
  { service, operation }: Route,
  once: OnceOptions,
): Promise<Answer> {
  const key = readIdempotencyKey(once.key);
  if (key === undefined) throw invalidHeader("idempotency-key", "must be 1 to 255 visible ASCII characters");
  const request = idempotentRequest(
    callerKey(exchange.caller),
    exchange.message.method!,
    once.path,
    key,
    once.sent,
    operation.secret ? options : undefined,
  );
  const { database } = service.parts;
  const name = request.scope.toString("base64");
  if (once.running.has(name)) throw inProgress();
  once.running.add(name);
  try {
    const recorded = await findRecord(database, request, options.clock);
    if (recorded !== undefined) return await replayed(service, recorded);
    const idempotent = createIdempotentRun(request, (result) => encodeResult(once.encoding, result));
    return await once.run({ idempotent }).then(
      (result) => idempotent.answerFor(result),
      (error: unknown) => recordedInstead(options, service, request, error),
    );
  } finally {
    once.running.delete(name);
  }
}

/**
 * Whatever this run met with: when an answer is recorded meanwhile, that is the answer. Another process was
 * first, or this one committed and lost the connection before it knew.
 */
async function recordedInstead(
  { clock }: PipelineOptions,
  service: RunningService,
  request: IdempotentRequest,
  error: unknown,
): Promise<Answer> {
  const recorded = await findRecord(service.parts.database, request, clock).catch(() => undefined);
  if (recorded !== undefined) return replayed(service, recorded);
  throw error instanceof RunElsewhere ? inProgress() : error;
}

/** The write may have been committed elsewhere: who is told of it must find it in every later read here. */
async function replayed({ parts }: RunningService, recorded: Answer): Promise<Answer> {
  await parts.cache.look();
  return recorded;
}

function callerKey(caller: Caller): string {
  return caller.kind === "user"
    ? caller.userId
    : caller.kind === "nobody"
      ? `address ${caller.address}`
      : `service ${caller.name}`;
}
