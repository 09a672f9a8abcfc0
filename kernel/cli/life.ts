// How a process that serves lives and ends.

import type { Clock, Logger } from "../base/index.ts";
import type { StopOptions } from "../runtime/index.ts";

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
  /** How it is to end, where that was said. */
  wait(): Promise<StopOptions>;
}

/** What a supervisor sends to a process that it started. */
export interface EndMessage {
  end: StopOptions;
}

/**
 * SIGINT, SIGTERM, SIGHUP and the message of a supervisor ask for the end; asked again, the process ends at once, and the next start
 * takes over the database server it leaves. The process ends by itself when stopping takes too long.
 */
export function waitForEnd(clock: Clock, log: Logger): End {
  let askedAtMs: number | undefined;
  const { promise, resolve } = Promise.withResolvers<StopOptions>();
  const ask = (signal: NodeJS.Signals | "message", how: StopOptions) => {
    if (askedAtMs !== undefined) {
      if (clock.nowMs() - askedAtMs >= sameSignalMs) process.exit(endedAtOnce);
      return;
    }
    askedAtMs = clock.nowMs();
    log.info({ signal }, "Stopping: finishing what is in hand");
    resolve(how);
    void clock.sleep(stopTimeoutMs).then(() => {
      log.error({ timeoutMs: stopTimeoutMs }, "Stopping took too long; the process ends as it is");
      process.exit(1);
    });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => ask(signal, {}));
  process.on("message", (message: Partial<EndMessage>) => void (message.end && ask("message", message.end)));
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
