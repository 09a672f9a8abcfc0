// Checks any resource of any contract against the HTTP conventions.
export { conformance } from "./conformance.ts";
export type { Callers, Subject } from "./subject.ts";
