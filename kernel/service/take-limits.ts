// The limits of a request: on who asks, and on the account it is about.

import type { Caller } from "../auth/index.ts";
import { errors, Failure } from "../contract/index.ts";
import { bucketAddress } from "../http/index.ts";
import { type Decision, limitHeaders } from "../limit/index.ts";
import type { Exchange, PipelineOptions } from "./exchange.ts";
import type { Route } from "./routes.ts";

/** Takes from the bucket of the user or the API key, or of the address where nobody is signed in or the class says so. */
export async function takeLimit(options: PipelineOptions, exchange: Exchange, declared: string): Promise<void> {
  const { caller } = exchange;
  const { className, key } = bucketOf(caller, declared, exchange.address);
  applyDecision(options, exchange, className, await options.limiter.take(className, key));
}

function bucketOf(caller: Caller, declared: string, address: string): { className: string; key: string } {
  if (declared !== "default") return { className: declared, key: bucketAddress(address) };
  if (caller.kind !== "user") return { className: "anonymous", key: bucketAddress(address) };
  // A machine's bucket is its key's: a script that runs away does not lock its owner out.
  if (caller.scopes !== undefined) return { className: "machine", key: caller.sessionId };
  return { className: declared, key: caller.userId };
}

/** A second bucket for the account that a request is about, so that many addresses cannot share out one account. */
export async function takeAccountLimit(
  options: PipelineOptions,
  exchange: Exchange,
  { operation }: Route,
  body: unknown,
): Promise<void> {
  const { class: className, account } = operation.limit;
  if (account === undefined) return;
  const name = String((body as Record<string, unknown>)[account])
    .normalize("NFKC")
    .toLowerCase();
  const decision = await options.limiter.take(className, `account:${name}`);
  if (decision?.allowed === false) applyDecision(options, exchange, className, decision);
}

function applyDecision(
  options: PipelineOptions,
  exchange: Exchange,
  className: string,
  decision: Decision | undefined,
): void {
  if (decision === undefined) return;
  Object.assign(exchange.headers, limitHeaders([{ name: className, decision }], options.clock.nowMs()));
  if (!decision.allowed) throw new Failure(errors.rateLimited, "Too many requests");
}
