// Calls between services: the same rules in one process as in many.
export { createCalls, type CallContext, type Calls, type CallTarget } from "./calls.ts";
export { createDeadline, type Deadline } from "./deadline.ts";
export { callPath, createRemoteTarget } from "./remote-target.ts";
