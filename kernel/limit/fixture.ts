// A shared store for tests of limits, and what is asked of a limiter.

import { silentLogger, systemClock } from "../base/index.ts";
import { openRedis, type Redis } from "../redis/index.ts";
import { startTestRedis, type TestRedis } from "../testing/index.ts";

/** For who is not to be told that the store hangs when this machine only is busy. */
export const patient = { answerMsMax: 20_000 };

/** Runs with a server and a connection to it, and ends both. */
export async function withRedis(
  run: (redis: Redis, server: TestRedis) => Promise<void>,
  options: { answerMsMax?: number } = patient,
): Promise<void> {
  const server = await startTestRedis();
  const redis = await openRedis({ ...options, url: server.url, name: "test", clock: systemClock, log: silentLogger });
  try {
    await run(redis, server);
  } finally {
    await redis.close();
    await server.stop();
  }
}

/** Resolves when the store is up, or down, in the eyes of this connection. */
export async function until(redis: Redis, isUp: boolean): Promise<void> {
  while (redis.isUp() !== isUp) await new Promise((resolve) => setImmediate(resolve));
}
