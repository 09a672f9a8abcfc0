// Writes frames. What is said within one turn of the event loop goes out in one piece: a system call costs more than
// everything else about a small call.

import type { Writable } from "node:stream";
import { afterThisTurn } from "../base/index.ts";
import { frameHeadBytes, type Kind, payloadBytesMax, writeFrameHead } from "./frames.ts";

export interface FrameWriter {
  /** `fill` writes the payload, of exactly so many bytes, at that place. */
  write(kind: Kind, stream: number, payloadBytes: number, fill?: (into: Buffer, at: number) => void): void;
  /** Whether more waits to be sent than should: whoever has much to say waits for `drain` of the stream. */
  isFull(): boolean;
}

const slabBytes = 2 * (frameHeadBytes + payloadBytesMax);
/** The most that waits before those who can wait have to. */
const waitingBytesMax = 4 * 1024 * 1024;

export function createFrameWriter(out: Writable): FrameWriter {
  let slab = Buffer.allocUnsafeSlow(slabBytes);
  let [from, to] = [0, 0];
  let isPlanned = false;
  const flush = () => {
    isPlanned = false;
    if (from === to) return;
    const bytes = slab.subarray(from, to);
    from = to;
    if (out.writable) out.write(bytes);
  };
  return {
    write(kind, stream, payloadBytes, fill) {
      if (to + frameHeadBytes + payloadBytes > slabBytes) {
        flush();
        // The one before may still be on its way.
        slab = Buffer.allocUnsafeSlow(slabBytes);
        from = to = 0;
      }
      writeFrameHead(slab, to, kind, stream, payloadBytes);
      fill?.(slab, to + frameHeadBytes);
      to += frameHeadBytes + payloadBytes;
      if (isPlanned) return;
      isPlanned = true;
      afterThisTurn(flush);
    },
    isFull: () => out.writableLength > waitingBytesMax,
  };
}
