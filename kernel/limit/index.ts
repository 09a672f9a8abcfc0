// How often a client may ask.
export { checkPolicy, fullAtMs, take, type BucketState, type Decision, type Policy } from "./bucket.ts";
export { limitHeaders, type NamedDecision } from "./limit-headers.ts";
export { createLimiter, type Limiter, type LimiterOptions } from "./limiter.ts";
export { parseLimit } from "./parse-limit.ts";
export { createSharedLimiter, type SharedLimiterOptions } from "./shared-limiter.ts";
