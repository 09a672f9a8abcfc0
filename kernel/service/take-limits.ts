// The limits of a request: on who asks, and on the account it is about.

import type { Caller } from "../auth/index.ts";
import { errors, Failure, type RateLimit } from "../contract/index.ts";
import { bucketAddress } from "../http/index.ts";
import { type Decision, limitHeaders, type Policy } from "../limit/index.ts";
import type { Exchange, PipelineOptions } from "./exchange.ts";

/** Takes from the bucket of the user, the API key or the address, as the class and its setting say. */
export function takeLimit(
  { limiter }: PipelineOptions,
  exchange: Exchange,
  { class: declared, cost }: RateLimit,
): Promise<void> | void {
  const { className, key } = bucketOf(exchange.caller, declared, exchange.address, limiter.perOf(declared));
  const decision = limiter.take(className, key, cost);
  if (!(decision instanceof Promise)) return applyDecision(exchange, className, decision);
  return decision.then((counted) => applyDecision(exchange, className, counted));
}

function bucketOf(
  caller: Caller,
  declared: string,
  address: string,
  per: Policy["per"],
): { className: string; key: string } {
  const isDefault = declared === "default";
  if (caller.kind !== "user") return { className: isDefault ? "anonymous" : declared, key: bucketAddress(address) };
  // A machine's bucket is its key's: a script that runs away does not lock its owner out.
  if (isDefault && caller.scopes !== undefined) return { className: "machine", key: caller.sessionId };
  if ((per ?? (isDefault ? "user" : "address")) === "address")
    return { className: declared, key: bucketAddress(address) };
  return { className: declared, key: caller.scopes === undefined ? caller.userId : caller.sessionId };
}

/** A second bucket for the account that a request is about, so that many addresses cannot share out one account. */
export async function takeAccountLimit(
  { limiter }: PipelineOptions,
  exchange: Exchange,
  { class: className, cost }: RateLimit,
  account: string,
  body: unknown,
): Promise<void> {
  const name = String((body as Record<string, unknown>)[account])
    .normalize("NFKC")
    .toLowerCase();
  const decision = await limiter.take(className, `account:${name}`, cost);
  if (decision?.allowed === false) applyDecision(exchange, className, decision);
}

function applyDecision(exchange: Exchange, className: string, decision: Decision | undefined): void {
  if (decision === undefined) return;
  Object.assign(exchange.headers, limitHeaders([{ name: className, decision }]));
  if (!decision.allowed) throw new Failure(errors.rateLimited, "Too many requests");
}
