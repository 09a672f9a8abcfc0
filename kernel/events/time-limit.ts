import type { Clock } from "../base/index.ts";

/**
 * Runs something that has to end within `timeoutMs`, and before `givenUp` aborts. When it does not, its signal aborts
 * and this rejects at once, whether it listens to the signal or not.
 */
export async function withTimeLimit<T>(
  clock: Clock,
  timeoutMs: number,
  what: string,
  run: (signal: AbortSignal) => Promise<T>,
  givenUp: AbortSignal = never,
): Promise<T> {
  const expiry = new AbortController();
  const ended = new AbortController();
  const late = clock.sleep(timeoutMs, ended.signal).then(() => {
    // Woken by the end, not by the time: the race is over and nobody sees this value.
    if (ended.signal.aborted) return undefined as never;
    const error = new Error(`${what} took longer than ${timeoutMs} ms`);
    expiry.abort(error);
    throw error;
  });
  const cut = Promise.withResolvers<never>();
  const onGivenUp = () => {
    expiry.abort(givenUp.reason);
    cut.reject(givenUp.reason);
  };
  givenUp.addEventListener("abort", onGivenUp);
  try {
    givenUp.throwIfAborted();
    return await Promise.race([run(expiry.signal), late, cut.promise]);
  } finally {
    givenUp.removeEventListener("abort", onGivenUp);
    // A reason of our own: the default one is an exception with a stack, which costs more than the timer.
    ended.abort("ended");
  }
}

const never = new AbortController().signal;
