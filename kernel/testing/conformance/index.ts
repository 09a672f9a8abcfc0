// Checks any resource of any contract against the HTTP conventions.
export { conformance } from "./conformance.ts";
export type { Body, Callers, Row, Subject } from "./subject.ts";
