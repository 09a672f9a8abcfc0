// Between the processes of a system: frames on a connection that is kept (asking.ts), where the other side
// understands them; else HTTP, which everybody does.

import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Clock, Random } from "../base/index.ts";
import { errors } from "../contract/index.ts";
import type { Asking, Reply } from "./asking.ts";
import { messageBytesMax } from "./frames.ts";
import { createKeptWires } from "./kept-wires.ts";
import { type Begin, relay } from "./relay.ts";
import { failureOf, isOutcome } from "./outcome.ts";
import { badGateway, unreached } from "./unreached.ts";
import { type PeerClaims, peerHeader, type PeerTokens } from "./tokens.ts";

export interface WireOptions {
  /** Where a service is reached: `http://127.0.0.1:3001`. */
  urlOf(service: string): string;
  tokens: PeerTokens;
  /** Connections are TLS, to who shows a certificate of this authority for the name or address in its URL. */
  tls?: PeerTls | undefined;
  clock: Clock;
  random: Random;
}

/** PEM. */
export interface PeerTls {
  cert: string;
  key: string;
  ca: string;
}

/** How long an answer may take. A deadline is one. */
export interface Limits {
  readonly signal: AbortSignal;
  remainingMs(): number;
}

export interface PeerRequest {
  method: string;
  /** With its query, as it stands in the request line. */
  target: string;
  /** Flat: name, value, name, value. */
  headers: readonly string[];
  body: Readable | undefined;
  claims: PeerClaims;
  signal: AbortSignal;
}

export interface Wire {
  /**
   * Has a service do something and answers its value, or throws the failure it threw. 503 when it is not reached
   * or breaks off, 504 when the time is over, 502 when it answers something else; then it may have been done or not,
   * unless the failure says that it never arrived (`isUndelivered`).
   */
  post(service: string, path: string, claims: PeerClaims, body: unknown, limits: Limits): Promise<unknown>;
  /** Hands a request on as it is, and the answer back. Throws as `post` does, also when an answer that has begun breaks off. */
  relay(service: string, request: PeerRequest, begin: Begin): Promise<void>;
  /** Reads what a process at this address says of itself, which it says to anybody: `/health`. */
  read(origin: string, path: string, signal: AbortSignal): Promise<unknown>;
  /** Opens a kept connection to a service ahead of the first request; false: it is asked by HTTP. */
  open(service: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Where the events for a subscriber are handed over. */
export function eventsPath(subscriber: string): string {
  return `/.ashlar/events/${subscriber}`;
}

/** For what is loaded when it is needed: a process that is alone has a tenth of its memory from undici otherwise. */
const require = createRequire(import.meta.url);

/** For each service. Beyond it requests wait for a connection, within their own time. */
const connectionsMax = 128;
const connectTimeoutMs = 2_000;
/** Less than a server of ours keeps an idle connection, so that it is not closed under a request. */
const keepAliveMs = 4_000;

export function createWire(options: WireOptions): Wire {
  const { urlOf, tokens, tls } = options;
  const kept = createKeptWires({ ...options, tls });
  const { Agent } = require("undici") as typeof import("undici");
  const agent = new Agent({
    connections: connectionsMax,
    connect: { timeout: connectTimeoutMs, ...tls, minVersion: "TLSv1.2" },
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    // Deadlines end requests; a client that reads slowly is cut by the server it reads from.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: messageBytesMax,
  });
  const send = async (
    service: string,
    options: Omit<Dispatcher.RequestOptions, "origin"> & { signal: AbortSignal },
  ) => {
    try {
      return await agent.request({ ...options, origin: urlOf(service) });
    } catch (error) {
      throw unreached(service, error, options.signal);
    }
  };
  return {
    async post(service, path, claims, body, limits) {
      const { signal, remainingMs } = limits;
      const text = JSON.stringify(body ?? null);
      const wire = kept.to(service);
      if (wire !== undefined && fits(text)) {
        const reply = await askOn(wire, service, path, claims, text, limits);
        return valueOf(service, reply, signal);
      }
      const token = tokens.sign(service, { ...claims, remainingMs: remainingMs() });
      const answer = await send(service, {
        path,
        method: "POST",
        headers: { "content-type": "application/json", [peerHeader]: token },
        body: text,
        signal,
      });
      return valueOf(service, await readReply(service, answer, signal), signal);
    },
    async relay(service, { method, target, headers, body, claims, signal }, begin) {
      const options = {
        origin: urlOf(service),
        path: target,
        method,
        headers: [...headers, peerHeader, tokens.sign(service, claims)],
        body: body ?? null,
      };
      await relay(agent, options, signal, begin).catch((error: unknown) => {
        throw unreached(service, error, signal);
      });
    },
    async read(origin, path, signal) {
      const { body } = await agent.request({ origin, path, method: "GET", signal });
      return body.json();
    },
    open: (service) => kept.opened(service),
    close() {
      kept.close();
      return agent.destroy();
    },
  };
}

/** What no message holds goes by HTTP, which refuses it. */
function fits(text: string): boolean {
  // A character is three bytes at most.
  return text.length * 3 <= messageBytesMax || Buffer.byteLength(text) <= messageBytesMax;
}

/** What a token says in every request of HTTP, and `use` in each; here the connection is what it is good for. */
async function askOn(
  wire: Asking,
  service: string,
  path: string,
  claims: PeerClaims,
  text: string,
  limits: Limits,
): Promise<Reply> {
  const head = JSON.stringify({ ...claims, use: undefined, path, remainingMs: limits.remainingMs() });
  try {
    return await wire.ask(head, text, limits);
  } catch (error) {
    throw unreached(service, error, limits.signal);
  }
}

async function readReply(service: string, answer: Dispatcher.ResponseData, signal: AbortSignal): Promise<Reply> {
  try {
    return { status: answer.statusCode, text: await answer.body.text() };
  } catch (error) {
    throw unreached(service, error, signal);
  }
}

function valueOf(service: string, { status, text }: Reply, signal: AbortSignal): unknown {
  const outcome = status === 200 ? parsed(text) : undefined;
  if (isOutcome(outcome)) {
    if ("failure" in outcome) throw failureOf(outcome.failure);
    return outcome.value;
  }
  const said = new Error(`It answered ${status}: ${text.slice(0, 200)}`);
  throw status === errors.unavailable.status ? unreached(service, said, signal) : badGateway(service, said);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
