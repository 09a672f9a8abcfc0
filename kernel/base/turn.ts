// A browser has no setImmediate; there, what was asked for in one task is what comes together.
const immediately: (run: () => void) => unknown = globalThis.setImmediate ?? queueMicrotask;

/** Runs when everything that had arrived by now was looked at: the end of this turn of the event loop. */
export function afterThisTurn(run: () => void): void {
  immediately(run);
}
