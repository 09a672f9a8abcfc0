// How a connection is made: limits of the session, parsers, and how a running statement is cancelled.

import { connect, type Socket } from "node:net";
import pg from "pg";
import { jsonAsTextParsers, typeParsers } from "./pg-types.ts";
import type { QueryResult, Row, Statement } from "./queryable.ts";

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database`, with `sslmode`, `options` and the like as libpq has them. */
  url: string;
  /** Seen in pg_stat_activity. */
  applicationName?: string;
  statementTimeoutMs?: number;
  lockTimeoutMs?: number;
  idleInTransactionTimeoutMs?: number;
  connectTimeoutMs?: number;
  /** Beyond the server's own limit, how long to wait for its answer before the network is held to be gone. */
  answerGraceMs?: number;
}

const cancelTimeoutMs = 5_000;
const longestTimerMs = 2 ** 31 - 1;

export function clientConfig(options: ConnectionOptions): pg.ClientConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? 10_000;
  const settings = {
    statement_timeout: statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs ?? 5_000,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 15_000,
  };
  const url = new URL(options.url);
  const own = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  // The last word wins: the url may change our limits, but not what the parsers rely on.
  const fixed = ["-c TimeZone=UTC", "-c DateStyle=ISO"];
  url.searchParams.set("options", [...own, url.searchParams.get("options") ?? "", ...fixed].join(" "));
  if (!url.searchParams.has("application_name"))
    url.searchParams.set("application_name", options.applicationName ?? "ashlar");
  return {
    connectionString: url.href.replaceAll("+", "%20"),
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: answerTimeoutMs(options, statementTimeoutMs),
    types: typeParsers,
    pipeline: true,
  };
}

/** Twice the limit, since a pipelined statement may wait for the one before it. */
export function answerTimeoutMs(options: ConnectionOptions, statementTimeoutMs: number): number {
  if (statementTimeoutMs === 0) return longestTimerMs;
  return Math.min(2 * statementTimeoutMs + (options.answerGraceMs ?? 5_000), longestTimerMs);
}

/** Sends one statement, or several when there are no values; then the last one's result counts. */
export async function send<R extends Row>(
  client: pg.ClientBase,
  sql: Statement,
  values: readonly unknown[] | undefined,
  timeoutMs?: number,
): Promise<QueryResult<R> & { command: string }> {
  const { text, name, jsonAsText = false } = typeof sql === "string" ? { text: sql } : sql;
  writeTogether(client);
  try {
    const answer = await new Promise<pg.QueryResult<R> | pg.QueryResult<R>[]>((resolve, reject) => {
      // From a text where that will do, since pg copies a description of a query property by property.
      const described = jsonAsText ? { text, types: jsonAsTextParsers } : text;
      const query = new pg.Query<R>(described as string, values, (error, result) =>
        error === undefined || error === null ? resolve(result) : reject(error),
      );
      client.query(Object.assign(query, { name, query_timeout: timeoutMs }));
    });
    const result = Array.isArray(answer) ? answer.at(-1)! : answer;
    return { rows: result.rows, rowCount: result.rowCount ?? 0, command: result.command };
  } catch (error) {
    // Who asked says more than where the answer was read.
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  }
}

const gathering = new WeakSet<object>();

/** What is sent in one turn of the event loop goes to the network at once: a system call each costs more than the rest. */
function writeTogether(client: pg.ClientBase): void {
  const { stream } = (client as unknown as Internals).connection;
  if (gathering.has(stream)) return;
  gathering.add(stream);
  stream.cork();
  process.nextTick(() => {
    gathering.delete(stream);
    stream.uncork();
  });
}

/** What pg knows of a connection but does not type. */
interface Internals {
  host: string;
  port: number;
  processID: number | null;
  secretKey: number | null;
  connection: { stream: Pick<Socket, "cork" | "destroy" | "uncork"> };
}

/**
 * Ends whatever this connection is doing, on both sides, at once. The connection is lost.
 *
 * Closing the socket alone would let the server work on, with its locks, until it has something to
 * say. So the protocol's cancel request goes first; and because that may arrive late and would then
 * hit the next statement, this connection gets no next statement.
 */
export function abandon(client: pg.ClientBase): void {
  requestCancel(client);
  (client as unknown as Internals).connection.stream.destroy();
}

/**
 * Has the server cancel what this connection is doing when the request arrives, which may be the next statement.
 * It goes on a connection of its own, holds a key and no data, and PostgreSQL takes it without TLS and before any login.
 */
export function requestCancel(client: pg.ClientBase): void {
  const { host, port, processID, secretKey } = client as unknown as Internals;
  if (processID === null || secretKey === null) return;
  const request = Buffer.alloc(16);
  [16, 80_877_102, processID, secretKey].forEach((word, index) => request.writeInt32BE(word, index * 4));
  const socket = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  socket.setTimeout(cancelTimeoutMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.end(request);
}
