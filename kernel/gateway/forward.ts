// Hands a request on to the process of its service, and the answer back as it is.
//
// The service repeats every check but the limit, so what is refused here is refused in the same words there.
// What it must believe of the client (its address, the limit that was taken) travels signed.

import type { IncomingMessage } from "node:http";
import { PassThrough, type Readable } from "node:stream";
import type { Clock, Logger } from "../base/index.ts";
import { createDeadline, type Dependency, type Retry } from "../call/index.ts";
import { errors, Failure } from "../contract/index.ts";
import { sendContinue } from "../http/index.ts";
import { isUndelivered, type Wire } from "../peer/index.ts";
import type { Forward } from "../service/index.ts";
import { answerHeaders, requestHeaders } from "./hop-headers.ts";

export interface ForwardOptions {
  service: string;
  wire: Wire;
  /** The service as the gateway sees it. */
  dependency: Dependency;
  clock: Clock;
  log: Logger;
}

export function createForward({ service, wire, dependency, clock, log }: ForwardOptions): Forward {
  return async (exchange) => {
    const { message, response, address, headers, timeoutMs } = exchange;
    const deadline = createDeadline(clock, timeoutMs, exchange.gone);
    const handOn = async (answered: () => void) => {
      let begun: number | undefined;
      const begin = (status: number, received: readonly string[]) => {
        begun = status;
        answered();
        // What the service did not want to read of the body is still on its way on this connection, too.
        const kept = answerHeaders(received);
        if (!message.complete) kept.push("Connection", "close");
        return response.writeHead(status, kept);
      };
      const request = {
        method: message.method!,
        target: message.url!,
        headers: requestHeaders(exchange),
        body: bodyOf(message),
        claims: { use: useOf(message), address, headers, remainingMs: deadline.remainingMs() },
        signal: deadline.signal,
      };
      try {
        await wire.relay(service, request, begin);
      } catch (err) {
        if (begun === undefined) throw err;
        // The answer has begun: all that is left is to break it off, so that nobody takes it for whole.
        log.warn({ requestId: exchange.id, err }, `An answer of ${service} broke off`);
        response.destroy();
      }
      return { forwarded: begun! };
    };
    try {
      return await dependency.run(handOn, { deadline, retry: retryOf(message) });
    } catch (error) {
      if (exchange.gone.aborted) throw new Failure(errors.unavailable, "The client went away", { cause: error });
      throw error;
    } finally {
      deadline.end();
      message.unpipe();
    }
  };
}

const never: Retry = { max: 0, backoffMs: 0, may: () => false };
// At once: it is for a connection that was closed, or a process that is being replaced, and a client waits.
const whenUndelivered: Retry = { max: 1, backoffMs: 0, may: isUndelivered };
const whenUnanswered: Retry = { max: 1, backoffMs: 0, may: ({ code }) => code === errors.unavailable.code };

/** A body went with the first try. What only reads may be asked twice, as long as nothing of an answer was handed on. */
function retryOf(message: IncomingMessage): Retry {
  if (hasBody(message)) return never;
  return message.method === "GET" || message.method === "HEAD" ? whenUnanswered : whenUndelivered;
}

/** Not the message itself: who sends a body destroys it when it is not wanted whole, and with it the connection. */
function bodyOf(message: IncomingMessage): Readable | undefined {
  if (!hasBody(message)) return undefined;
  sendContinue(message);
  // What becomes of it shows in the answer; a service that did not want it whole breaks it off.
  const body = new PassThrough().on("error", () => {});
  message.once("close", () => message.complete || body.destroy());
  return message.pipe(body);
}

/** What a token of the gateway is good for: this request and no other. */
export function useOf({ method, url }: IncomingMessage): string {
  return `${method} ${url}`;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
