// Calls between services.
//
// In one process a call is a function call that goes through the contract's codec: the input and the
// answer are copied as JSON, so neither side can touch, or be surprised by, the other's objects, and
// what would not survive the wire does not survive here either.

import type { Clock, Logger } from "../base/index.ts";
import {
  type AnyOperation,
  compileValidator,
  type In,
  type Named,
  type Out,
  object,
  type TSchema,
  type Validate,
} from "../contract/index.ts";
import { failureOf, outcomeOf } from "../peer/index.ts";
import { createDeadline, type Deadline } from "./deadline.ts";

/** What a service sees of the call it answers, beside the input. */
export interface CallContext {
  readonly from: string;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly deadline: Deadline;
}

/** A service that can be called: in this process, or behind a connection. */
export interface CallTarget {
  invoke(
    operation: string,
    input: { params: unknown; query: unknown; body: unknown },
    call: CallContext,
  ): Promise<unknown>;
}

export interface Calls {
  /**
   * Calls an operation of another service and answers what it answers, or throws its Failure, without the cause;
   * anything else that is thrown there arrives as a 500, as it would from another process.
   * The deadline is the caller's: what it has left is all the called service gets.
   */
  call<O extends AnyOperation>(operation: Named<O>, input: Partial<In<O>>, context: CallContext): Promise<Out<O>>;
}

export interface CallsOptions {
  clock: Clock;
  targetOf: (service: string) => CallTarget | undefined;
  log: Logger;
}

export function createCalls(options: CallsOptions): Calls {
  const validators = new Map<AnyOperation, Validate>();
  return {
    async call(operation, input, context) {
      const target = options.targetOf(operation.service);
      if (target === undefined)
        throw new Error(`No process offers service "${operation.service}". Add it to the topology.`);
      context.deadline.check();
      const sent = copy({ params: {}, query: {}, ...input }) as { params: unknown; query: unknown; body: unknown };
      const details = validatorOf(validators, operation)(sent);
      if (details.length > 0) {
        throw new Error(
          `${context.from} called ${operation.service}.${operation.name} wrongly: ${details.map(({ field, message }) => `${field} ${message}`).join("; ")}`,
        );
      }
      const deadline = createDeadline(options.clock, context.deadline.remainingMs(), context.deadline.signal);
      try {
        return copy(await target.invoke(operation.name, sent, { ...context, deadline })) as never;
      } catch (error) {
        const use = `call ${operation.service}.${operation.name}`;
        const { failure } = outcomeOf(error, { use, requestId: context.requestId, log: options.log });
        throw failureOf(copy(failure) as typeof failure);
      } finally {
        deadline.end();
      }
    },
  };
}

/** What JSON keeps of a value. */
function copy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function validatorOf(validators: Map<AnyOperation, Validate>, operation: AnyOperation): Validate {
  let validate = validators.get(operation);
  if (validate === undefined) {
    const fields: Record<string, TSchema> = { params: object(operation.params) as TSchema, query: { type: "object" } };
    if (operation.body !== undefined) fields.body = operation.body;
    validate = compileValidator(object(fields), { defaults: true });
    validators.set(operation, validate);
  }
  return validate;
}
