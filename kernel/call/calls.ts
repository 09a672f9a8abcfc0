// Calls between services.
//
// In one process a call is a function call that goes through the contract's codec: the input and the
// answer are copied as JSON, so neither side can touch, or be surprised by, the other's objects, and
// what would not survive the wire does not survive here either. Time, retries, breaker and bulkhead are those of a
// call that leaves the process.

import { type Clock, jsonCopy, type Logger } from "../base/index.ts";
import { type AnyOperation, errors, type Failure, type In, type Named, type Out } from "../contract/index.ts";
import { failureOf, isUndelivered, outcomeOf, type Work } from "../peer/index.ts";
import { type CallInput, checkInput } from "./call-input.ts";
import { type Deadline, untilAborted, within } from "./deadline.ts";
import type { Dependencies, Retry } from "./dependency.ts";

/** What a service sees of the call it answers, beside the input. */
export interface CallContext {
  readonly from: string;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly deadline: Deadline;
}

/** A service that can be called: in this process, or behind a connection. */
export interface CallTarget {
  invoke(operation: string, input: CallInput, call: CallContext): Promise<unknown>;
}

export interface Calls {
  /**
   * Calls an operation of another service and answers what it answers, or throws its Failure; whatever else it throws
   * is `INTERNAL`, and logged where it happened. The called service gets what the caller's deadline
   * has left, and no more than the contract gives the operation. What the contract calls repeatable is tried again
   * when the service was unavailable, and anything when it certainly never arrived.
   */
  call<O extends AnyOperation>(operation: Named<O>, input: Partial<In<O>>, context: CallContext): Promise<Out<O>>;
}

export interface CallsOptions {
  clock: Clock;
  dependencies: Dependencies;
  targetOf: (service: string) => CallTarget | undefined;
  log: Logger;
}

const retriesMax = 2;
const backoffMs = 50;
const repeatable: Retry = { max: retriesMax, backoffMs, may: isNotNow };
const notRepeatable: Retry = { max: retriesMax, backoffMs, may: isUndelivered };

export function createCalls({ clock, dependencies, targetOf, log }: CallsOptions): Calls {
  return {
    async call(operation, input, context) {
      const target = targetOf(operation.service);
      if (target === undefined)
        throw new Error(`No process offers service "${operation.service}". Add it to the topology.`);
      context.deadline.check();
      // What a first try, or the caller meanwhile, makes of it is no business of the second.
      const { params = {}, query = {}, body } = input as Partial<CallInput>;
      const kept = jsonCopy({ params, query, body }) as CallInput;
      check(kept, operation, context.from);
      const deadline = within(clock, context.deadline, operation.timeoutMs);
      const call = { ...context, deadline };
      try {
        return (await dependencies.of(context.from, operation.service).run(
          async () => {
            const sent = jsonCopy(kept) as CallInput;
            return jsonCopy(await untilAborted(target.invoke(operation.name, sent, call), deadline));
          },
          { deadline, retry: operation.repeatable ? repeatable : notRepeatable },
        )) as never;
      } catch (error) {
        const use = `call ${operation.service}.${operation.name}`;
        throw received(error, { use, requestId: context.requestId, log });
      } finally {
        deadline.end();
      }
    },
  };
}

/** Fills defaults in place. */
function check(input: CallInput, operation: Named<AnyOperation>, from: string): void {
  const details = checkInput(operation, input);
  if (details.length === 0) return;
  throw new Error(
    `${from} called ${operation.service}.${operation.name} wrongly: ${details.map(({ field, message }) => `${field} ${message}`).join("; ")}`,
  );
}

function isNotNow({ code }: Failure): boolean {
  return code === errors.unavailable.code;
}

/** The failure as it would come from another process: a copy, without the cause. */
function received(error: unknown, work: Work): Failure {
  const { failure } = outcomeOf(error, work);
  return failureOf(jsonCopy({ ...failure, hops: failure.hops + 1 }) as typeof failure);
}
