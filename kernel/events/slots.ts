/** Runs at most `limit` things at once; the rest wait their turn in order. */
export function createSlots(limit: number): <T>(run: () => Promise<T>) => Promise<T> {
  let taken = 0;
  const queue: (() => void)[] = [];
  return async (run) => {
    if (taken < limit) taken += 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await run();
    } finally {
      // The slot passes to the next in the queue without becoming free in between.
      const next = queue.shift();
      if (next === undefined) taken -= 1;
      else next();
    }
  };
}
