/** Runs `end` when the process exits or is told to. A signal's own effect is kept. Answers how to forget it. */
export function endWithProcess(end: () => void): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    forget();
    end();
    // Whoever else listens decides what the signal means; if nobody does, it means the end.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const forget = () => {
    process.off("exit", end);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.once("exit", end);
  for (const signal of signals) process.once(signal, onSignal);
  return forget;
}
