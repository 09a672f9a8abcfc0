// How a process that serves lives and ends.

import type { Clock, Logger } from "../base/index.ts";

/** A process manager kills after ten seconds. */
const stopTimeoutMs = 9_500;

/**
 * npm and `node --watch` pass on the signal that the terminal has sent to the whole group already, so one
 * Ctrl-C arrives two or three times. Only what comes later than this is a second one.
 */
const sameSignalMs = 1_000;

const endedAtOnce = 130;

export interface End {
  /** Whether somebody has asked for the end. */
  asked(): boolean;
  wait(): Promise<void>;
}

/**
 * SIGINT, SIGTERM and SIGHUP ask for the end; asked again, the process ends at once, and the next start
 * takes over the database server it leaves. The process ends by itself when stopping takes too long.
 */
export function waitForEnd(clock: Clock, log: Logger): End {
  let askedAtMs: number | undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onSignal = (signal: NodeJS.Signals) => {
    if (askedAtMs !== undefined) {
      if (clock.nowMs() - askedAtMs >= sameSignalMs) process.exit(endedAtOnce);
      return;
    }
    askedAtMs = clock.nowMs();
    log.info({ signal }, "Stopping: finishing what is in hand");
    resolve();
    void clock.sleep(stopTimeoutMs).then(() => {
      log.error({ timeoutMs: stopTimeoutMs }, "Stopping took too long; the process ends as it is");
      process.exit(1);
    });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  return { asked: () => askedAtMs !== undefined, wait: () => promise };
}

/**
 * An error that nobody caught is logged, and the process goes on. What must agree agrees in a transaction
 * or has not happened; to end would drop every other request, and let whoever found a way to cause the
 * error end the store as often as they like.
 */
export function liveThroughErrors(log: Logger): void {
  process.on("uncaughtException", (err) => log.error({ err }, "An error that nobody caught; the process goes on"));
  process.on("unhandledRejection", (err) => log.error({ err }, "A rejection that nobody caught; the process goes on"));
}
