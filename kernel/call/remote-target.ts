// A service that runs in another process, as a target of calls.

import type { PeerClaims, Wire } from "../peer/index.ts";
import type { CallTarget } from "./calls.ts";

export function createRemoteTarget(wire: Wire, service: string): CallTarget {
  return {
    invoke(operation, input, { from, requestId, traceparent, deadline }) {
      const claims: PeerClaims = { use: `call ${service}.${operation}`, from, requestId, traceparent };
      return wire.post(service, callPath(service, operation), claims, input, deadline);
    },
  };
}

export function callPath(service: string, operation: string): string {
  return `/.ashlar/calls/${service}/${operation}`;
}
