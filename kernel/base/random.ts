/** Where random bytes come from. Injected, so that a test can repeat a run. */
export interface Random {
  bytes(length: number): Uint8Array;
}

/** Drawn ahead, since asking the system costs more than the bytes. What was given out is not kept. */
const drawn = new Uint8Array(4_096);
const shortMax = 64;
let at = drawn.length;

export const systemRandom: Random = {
  bytes(length) {
    if (length > shortMax) return crypto.getRandomValues(new Uint8Array(length));
    if (at + length > drawn.length) {
      crypto.getRandomValues(drawn);
      at = 0;
    }
    const taken = drawn.slice(at, at + length);
    drawn.fill(0, at, (at += length));
    return taken;
  },
};
