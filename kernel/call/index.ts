// Calls between services: the same rules in one process as in many.
export { checkInput, type CallInput } from "./call-input.ts";
export { createCalls, type CallContext, type Calls, type CallTarget } from "./calls.ts";
export { createDeadline, type Deadline } from "./deadline.ts";
export { createDependencies, type Dependencies, type Dependency, type Retry } from "./dependency.ts";
export { callPath, createRemoteTarget } from "./remote-target.ts";
