import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFrameReader, frameHeadBytes, type Kind, kinds, payloadBytesMax, writeFrameHead } from "./frames.ts";

interface Said {
  kind: Kind;
  stream: number;
  payload: Buffer;
}

function bytesOf({ kind, stream, payload }: Said): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  writeFrameHead(head, 0, kind, stream, payload.length);
  return Buffer.concat([head, payload]);
}

/** What a reader makes of pieces. */
function read(pieces: readonly Buffer[]): Said[] {
  const frames: Said[] = [];
  const take = createFrameReader(({ kind, stream, payload }) =>
    frames.push({ kind, stream, payload: Buffer.from(payload) }),
  );
  for (const piece of pieces) take(piece);
  return frames;
}

/** The bytes cut at these places, which may fall together. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

const said = fc.record(
  {
    kind: fc.constantFrom(...Object.values(kinds)),
    stream: fc.nat({ max: 0x7fff_ffff }),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  },
  { noNullPrototype: true },
);

test("frames are what they were, wherever their bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(said, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (frames, places) => {
      deepEqual(read(cut(Buffer.concat(frames.map(bytesOf)), places)), frames);
    }),
    { numRuns: 2_000 },
  );
  const frames = [
    { kind: kinds.ask, stream: 1, payload: Buffer.alloc(payloadBytesMax, 7) },
    { kind: kinds.cancel, stream: 1, payload: Buffer.alloc(0) },
  ];
  const bytes = Buffer.concat(frames.map(bytesOf));
  deepEqual(read([...bytes].map((byte) => Buffer.of(byte))), frames);
});

test("half a frame is none yet", () => {
  const bytes = bytesOf({ kind: kinds.data, stream: 3, payload: Buffer.from("abc") });
  for (let length = 0; length < bytes.length; length++) deepEqual(read([bytes.subarray(0, length)]), []);
});

test("a length, kind or stream that there is none of is refused as soon as it is read, and nothing is held for it", () => {
  const head = (length: number, kind: number, stream: number) => {
    const bytes = Buffer.alloc(frameHeadBytes);
    writeFrameHead(bytes, 0, kind as Kind, stream, length);
    return bytes;
  };
  for (const bytes of [
    head(payloadBytesMax + 1, kinds.data, 1),
    head(0xffff_ffff, kinds.data, 1),
    head(0, 0, 1),
    head(0, 9, 1),
    head(0, 255, 1),
    head(0, kinds.ask, 0x8000_0000),
  ])
    throws(() => read([bytes]), /is none of it/);
  equal(read([head(0, kinds.leave, 0)]).length, 1);
});

test("whatever bytes come, a reader says frames or throws, and holds no more than one frame", () => {
  let state = 1;
  // xorshift32: the same bytes in every run.
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  let [frames, refused] = [0, 0];
  const before = process.memoryUsage().arrayBuffers;
  for (let run = 0; run < 100_000; run++) {
    const take = createFrameReader(({ payload }) => {
      frames++;
      ok(payload.length <= payloadBytesMax);
    });
    const bytes = Buffer.alloc(1 + (next() % 64));
    for (let index = 0; index < bytes.length; index++) bytes[index] = next();
    // Every other begins as a frame might.
    if (run % 2 === 0 && bytes.length >= frameHeadBytes)
      writeFrameHead(bytes, 0, (1 + (next() % 8)) as Kind, next() >>> 1, next() % 40);
    try {
      for (const piece of cut(bytes, [next(), next()])) take(piece);
    } catch (error) {
      refused++;
      ok(/is none of it/.test((error as Error).message));
    }
  }
  ok(frames > 10_000 && refused > 40_000, `${frames} frames, ${refused} refused`);
  ok(process.memoryUsage().arrayBuffers - before < 64 * 1024 * 1024);
});
