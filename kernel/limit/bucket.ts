// The token bucket: `maxRequests` may come at once, and as many again evenly over every `windowMs`.
//
// Counted in whole units, so that no fraction is ever lost or gained: a request costs `windowMs` units,
// and every millisecond brings `maxRequests`. In any interval of t ms at most
// `maxRequests + t * maxRequests / windowMs` requests pass, exactly.

export interface Policy {
  readonly maxRequests: number;
  readonly windowMs: number;
  /** Whose bucket it is. Default: the user's in the class `default`, else the address's. */
  readonly per?: "user" | "address";
}

/** What is left, and when that was counted. */
export interface BucketState {
  readonly units: number;
  readonly atMs: number;
}

export interface Decision {
  readonly allowed: boolean;
  /** When it was made, by the clock that counts; what follows is by that clock too. */
  readonly atMs: number;
  /** The capacity: `maxRequests`. */
  readonly limit: number;
  readonly windowMs: number;
  /** Whole requests that would still pass now. */
  readonly remaining: number;
  /** When the bucket will be full again if nobody asks. */
  readonly resetAtMs: number;
  /** 0 when allowed; otherwise after this long the same request passes, unless others come first. */
  readonly retryAfterMs: number;
}

/** Throws when the numbers cannot be counted exactly. */
export function checkPolicy({ maxRequests, windowMs }: Policy): void {
  const whole =
    Number.isSafeInteger(maxRequests) && Number.isSafeInteger(windowMs) && Number.isSafeInteger(maxRequests * windowMs);
  if (!whole || maxRequests < 1 || windowMs < 1) {
    throw new Error(
      `A limit of ${maxRequests} requests per ${windowMs} ms cannot be counted: use whole numbers from 1, with a product below 2^53`,
    );
  }
}

/**
 * Takes `cost` requests out of the bucket, or none when there are not enough; undefined is a full bucket.
 * A clock that goes back brings nothing and takes nothing.
 */
export function take(
  state: BucketState | undefined,
  policy: Policy,
  nowMs: number,
  cost = 1,
): { state: BucketState; decision: Decision } {
  checkCost(policy, cost);
  const price = cost * policy.windowMs;
  const atMs = Math.floor(nowMs);
  const present = refilled(state, policy, atMs);
  const allowed = present >= price;
  const left = { units: allowed ? present - price : present, atMs };
  return { state: left, decision: decisionOf(policy, left, cost, allowed) };
}

export function checkCost({ maxRequests }: Policy, cost: number): void {
  if (!Number.isSafeInteger(cost) || cost < 0 || cost > maxRequests)
    throw new Error(`A request that costs ${cost} can never pass a limit of ${maxRequests}`);
}

/** What there is to say about a request that was allowed or not and left the bucket like this, wherever it was counted. */
export function decisionOf(policy: Policy, left: BucketState, cost: number, allowed: boolean): Decision {
  const { maxRequests, windowMs } = policy;
  return {
    allowed,
    atMs: left.atMs,
    limit: maxRequests,
    windowMs,
    remaining: Math.floor(left.units / windowMs),
    resetAtMs: fullAtMs(left, policy),
    retryAfterMs: allowed ? 0 : Math.ceil((cost * windowMs - left.units) / maxRequests),
  };
}

/** When this bucket will be full, which is as if it had never been. */
export function fullAtMs({ units, atMs }: BucketState, { maxRequests, windowMs }: Policy): number {
  return atMs + Math.ceil((maxRequests * windowMs - units) / maxRequests);
}

function refilled(state: BucketState | undefined, { maxRequests, windowMs }: Policy, nowMs: number): number {
  const capacity = maxRequests * windowMs;
  if (state === undefined) return capacity;
  const elapsedMs = Math.max(0, nowMs - state.atMs);
  // Past a window it is full; asked first, so that a product of large numbers is never rounded.
  return elapsedMs >= windowMs ? capacity : Math.min(capacity, state.units + elapsedMs * maxRequests);
}
