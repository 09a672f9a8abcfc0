// What tests of a connection start, look at, and lead it over. All of it ends with the test.

import { type AddressInfo, connect, createServer as createPlainServer, type Socket } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import type { TestContext } from "node:test";
import { type Logger, silentLogger, systemClock } from "../base/index.ts";
import { startTestRedis, type TestRedis } from "../testing/index.ts";
import { openRedis, type Redis, type RedisOptions } from "./index.ts";

/** For who is not to be told that the store hangs when it is this machine that is busy. */
const patientMs = 20_000;

export async function startServer(t: TestContext, options: { password?: string } = {}): Promise<TestRedis> {
  const server = await startTestRedis(options);
  t.after(() => server.stop());
  return server;
}

export async function open(t: TestContext, url: string, options: Partial<RedisOptions> = {}): Promise<Redis> {
  const redis = await openRedis({
    url,
    name: "test",
    answerMsMax: patientMs,
    clock: systemClock,
    log: silentLogger,
    ...options,
  });
  t.after(() => redis.close());
  return redis;
}

/** A server, a connection to it, and what that writes into its log. */
export async function start(t: TestContext, options: Partial<RedisOptions> = {}) {
  const server = await startServer(t);
  const heard = listen();
  return { server, redis: await open(t, server.url, { log: heard.log, ...options }), ...heard };
}

/** A log whose lines can be read, and waited for. */
export function listen() {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const write = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    for (const look of waiting) look();
  };
  const log: Logger = { ...silentLogger, info: write("info"), warn: write("warn"), error: write("error") };
  const line = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!lines.some((one) => pattern.test(one))) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { log, lines, line };
}

export interface Way {
  readonly port: number;
  /** Everything that is connected now leads nowhere, without a word, as behind a dead router. */
  lose(): void;
}

/** A way to a server on this machine, with TLS when there is a certificate for it. */
export async function startWay(
  t: TestContext,
  port: number,
  certificate?: { key: string; cert: string },
): Promise<Way> {
  const sockets = new Set<Socket>();
  const join = (near: Socket) => {
    const far = connect(port, "127.0.0.1");
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) sockets.add(socket.on("error", () => {}));
  };
  const way = certificate === undefined ? createPlainServer(join) : createSecureServer(certificate, join);
  await new Promise<void>((resolve) => way.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    way.close();
  });
  return {
    port: (way.address() as AddressInfo).port,
    lose() {
      for (const socket of sockets) socket.unpipe().resume();
    },
  };
}
