// The two sides of a kept connection, on a real one.

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import fc from "fast-check";
import { createManualClock, silentLogger } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";
import { type Ask, answerWire } from "./answering.ts";
import { createAsking, type Reply } from "./asking.ts";
import { frameHeadBytes, type Kind, kinds, messageBytesMax, payloadBytesMax, writeFrameHead } from "./frames.ts";

const nobody = Buffer.alloc(0);

/** A connection: who answers on one side; on the other a bare socket. */
async function connected(answer: (ask: Ask) => Promise<Reply>, room = { left: 10_000 }) {
  const clock = createManualClock();
  const warned: string[] = [];
  const log = { ...silentLogger, warn: (fields: object) => void warned.push(String((fields as { err: Error }).err)) };
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [there] = (await once(server, "connection")) as [Socket];
  const counts = { begun: 0, over: 0 };
  const answering = answerWire(there, nobody, {
    prove(proof) {
      if (proof !== "secret") throw new Error("This is no proof");
    },
    answer,
    begin: () => room.left-- > 0 && ++counts.begun > 0,
    over: () => void counts.over++,
    clock,
    log,
  });
  after(() => {
    socket.destroy();
    there.destroy();
    server.close();
  });
  return { clock, warned, socket, there, counts, answering };
}

async function opened(answer: (ask: Ask) => Promise<Reply>, room?: { left: number }) {
  const peers = await connected(answer, room);
  const asking = createAsking(peers.socket, nobody, "secret");
  const limits = { signal: new AbortController().signal, remainingMs: () => 1_000 };
  const ask = (body: string, more: object = {}, head = "{}") => asking.ask(head, body, { ...limits, ...more });
  return { ...peers, asking, ask };
}

const echo = async ({ head, body }: Ask): Promise<Reply> => ({ status: 200, text: `${head} ${body}` });

test("what is asked at once is answered each by its own, in whatever order, texts of any length and letter", async () => {
  const { ask, counts } = await opened(async ({ body }) => {
    await new Promise((resolve) => setImmediate(resolve));
    return { status: 200, text: body };
  });
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc
      .constantFrom(payloadBytesMax - 9, payloadBytesMax - 8, payloadBytesMax, 3 * payloadBytesMax)
      .map((length) => "é".repeat(length)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 12 }), async (texts) => {
      const replies = await Promise.all(texts.map((one) => ask(one)));
      deepEqual(
        replies.map(({ text: answer }) => answer),
        texts.map((one) => one.toWellFormed()),
      );
    }),
    { numRuns: 100 },
  );
  equal(counts.begun, counts.over);
});

test("the longest message comes whole while others go past it; one that is longer is not sent", async () => {
  const { ask } = await opened(echo);
  const long = "x".repeat(messageBytesMax - 10);
  let passed = 0;
  const short = async () => {
    while (passed < 20) passed += (await ask("y")).text === "{} y" ? 1 : 0;
  };
  const [reply] = await Promise.all([ask(long), short()]);
  equal(reply.text.length, long.length + 3);
  equal(passed, 20);
  await rejects(ask("x".repeat(messageBytesMax + 1)), /A message has/);
  const { ask: askMuch } = await opened(async () => ({ status: 200, text: "z".repeat(messageBytesMax + 1) }));
  equal((await askMuch("")).status, 503);
});

test("of long messages four come at a time, and all of them come", async () => {
  const { ask } = await opened(async ({ body }) => ({ status: 200, text: String(body.length) }));
  const lengths = Array.from({ length: 40 }, (_, index) => payloadBytesMax * (1 + (index % 5)));
  const replies = await Promise.all(lengths.map((length) => ask("x".repeat(length))));
  deepEqual(
    replies.map(({ text }) => Number(text)),
    lengths,
  );
});

test("a refusal comes with its status; where there is no room for more, that is 503", async () => {
  const { ask, counts } = await opened(async () => ({ status: 404, text: "What?" }), { left: 2 });
  deepEqual(await ask("a"), { status: 404, text: "What?" });
  equal((await ask("x".repeat(payloadBytesMax * 2))).status, 404);
  deepEqual(await ask("b"), { status: 503, text: "Busy" });
  equal((await ask("x".repeat(payloadBytesMax * 2))).status, 503);
  deepEqual(counts, { begun: 2, over: 2 });
});

test("who gives up is told why, and so is who works for it; the others are answered", async () => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<unknown>();
  const arrived = Promise.withResolvers<void>();
  const { ask, counts } = await opened((one) => {
    if (one.body !== "hang") return echo(one);
    arrived.resolve();
    return new Promise((resolve) => {
      one.gone.addEventListener("abort", () => {
        stop(one.gone.reason);
        resolve({ status: 200, text: "too late" });
      });
    });
  });
  const giveUp = new AbortController();
  const hanging = ask("hang", { signal: giveUp.signal });
  await arrived.promise;
  giveUp.abort(new Failure(errors.deadlineExceeded, "Too late"));
  await rejects(hanging, { code: "DEADLINE_EXCEEDED" });
  match(String(await stopped), /went away/);
  equal((await ask("b")).text, "{} b");
  deepEqual(counts, { begun: 2, over: 2 });
  await rejects(ask("c", { signal: giveUp.signal }), { code: "DEADLINE_EXCEEDED" });
});

test("a message that is given up half-way makes room for the next, on both sides", async () => {
  const { ask, counts } = await opened(async ({ body }) => ({ status: 200, text: body }));
  const giveUp = new AbortController();
  const long = "x".repeat(8 * 1024 * 1024);
  const given = Array.from({ length: 8 }, () => ask(long, { signal: giveUp.signal }));
  await new Promise((resolve) => setImmediate(resolve));
  giveUp.abort(new Error("No more"));
  for (const one of given) await rejects(one, /No more/);
  const replies = await Promise.all(Array.from({ length: 6 }, () => ask(long)));
  for (const { text } of replies) equal(text.length, long.length);
  equal(counts.begun, counts.over);
});

test("one that says nothing until the time is over is asked nothing more", async () => {
  const { ask, asking } = await opened(() => new Promise(() => {}));
  const over = new AbortController();
  const asked = ask("a", { signal: over.signal, remainingMs: () => 0 });
  over.abort(new Failure(errors.deadlineExceeded, "Too late"));
  await rejects(asked, { code: "DEADLINE_EXCEEDED" });
  equal(asking.isOpen(), false);
});

test("who is asked to leave asks no more, and closes when it has its answers: those on their way, too", async () => {
  const release = Promise.withResolvers<void>();
  const { ask, asking, answering, there } = await opened(async (one) => {
    await release.promise;
    return echo(one);
  });
  const first = ask("a");
  answering.leave();
  // Sent before it was heard.
  const second = ask("b");
  const closed = once(there, "close");
  while (asking.isOpen()) await new Promise((resolve) => setImmediate(resolve));
  release.resolve();
  deepEqual([(await first).text, (await second).text], ["{} a", "{} b"]);
  await closed;
  ok(asking.isOver() || !asking.isOpen());
});

test("a connection that breaks leaves all that was asked unanswered, and ends the work for it", async () => {
  const gone: AbortSignal[] = [];
  const { ask, asking, there } = await opened((one) => {
    gone.push(one.gone);
    return new Promise(() => {});
  });
  const asked = ["a", "b", "c"].map((body) => ask(body));
  while (gone.length < 3) await new Promise((resolve) => setImmediate(resolve));
  const closed = once(there, "close");
  there.destroy();
  for (const one of asked) await rejects(one, /closed|ECONNRESET/);
  await closed;
  deepEqual(
    gone.map(({ aborted }) => aborted),
    [true, true, true],
  );
  equal(asking.isOver(), true);
  await rejects(ask("d"), /closed|ECONNRESET/);
});

test("it ends after its time, proven or not", async () => {
  const { clock, there, socket } = await connected(echo);
  socket.resume();
  const closed = once(there, "close");
  await clock.advance(5_000);
  await closed;
  const proven = await opened(echo);
  equal((await proven.ask("a")).text, "{} a");
  await proven.clock.advance(119_999);
  equal(proven.asking.isOpen(), true);
  const ended = once(proven.there, "close");
  await proven.clock.advance(1);
  await ended;
});

/** Bytes of frames, with what is said in them. */
function frame(kind: number, stream: number, payload: Buffer = nobody): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  writeFrameHead(head, 0, kind as Kind, stream, payload.length);
  return Buffer.concat([head, payload]);
}

function message(head: string, body: string, length = Buffer.byteLength(body)): Buffer {
  const lengths = Buffer.alloc(6);
  lengths.writeUInt32BE(length);
  lengths.writeUInt16BE(Buffer.byteLength(head), 4);
  return Buffer.concat([lengths, Buffer.from(head), Buffer.from(body)]);
}

const hello = frame(kinds.hello, 0, message("secret", ""));
const long = frame(kinds.ask, 1, message("{}", "x", 100_000));

const senseless: [what: string, bytes: Buffer[]][] = [
  ["an ask before hello", [frame(kinds.ask, 1, message("{}", ""))]],
  ["hello without the proof", [frame(kinds.hello, 0, message("guess", ""))]],
  ["hello twice", [hello, hello]],
  ["an ask without its lengths", [hello, frame(kinds.ask, 1, Buffer.alloc(5))]],
  ["a head beyond its frame", [hello, frame(kinds.ask, 1, Buffer.from("0000000000ff00", "hex"))]],
  ["a body longer than it said", [hello, frame(kinds.ask, 1, message("{}", "abc", 2))]],
  ["a body longer than any", [hello, frame(kinds.ask, 1, message("{}", "abc", messageBytesMax + 1))]],
  ["a stream that was used", [hello, frame(kinds.ask, 2, message("{}", "")), frame(kinds.ask, 2, message("{}", ""))]],
  ["a stream before the last", [hello, frame(kinds.ask, 2, message("{}", "")), frame(kinds.ask, 1, message("{}", ""))]],
  ["data of nothing", [hello, frame(kinds.data, 7, Buffer.from("x"))]],
  ["no data", [hello, long, frame(kinds.data, 1)]],
  [
    "more data than it said",
    [hello, long, frame(kinds.data, 1, Buffer.alloc(60_000)), frame(kinds.data, 1, Buffer.alloc(60_000))],
  ],
  ["an answer", [hello, long, frame(kinds.answer, 1, message("", ""))]],
  ["leave", [hello, frame(kinds.leave, 0)]],
  [
    "data that was not let come",
    [
      hello,
      ...[1, 2, 3, 4, 5].map((stream) => frame(kinds.ask, stream, message("{}", "x", 100_000))),
      frame(kinds.data, 5, Buffer.from("x")),
    ],
  ],
];

for (const [what, bytes] of senseless)
  test(`${what} ends the connection, with the reason in the log`, async () => {
    const { socket, there, warned, counts } = await connected(echo);
    socket.resume();
    const closed = once(there, "close");
    socket.write(Buffer.concat(bytes));
    await closed;
    equal(warned.length, 1);
    equal(counts.begun, counts.over);
  });

test("what may have crossed on the way is no offence: go, cancel and data of what is over", async () => {
  const { socket, there, warned } = await connected(echo);
  socket.resume();
  const answer = async (stream: number) => {
    socket.write(frame(kinds.ask, stream, message("{}", "a")));
    const [answered] = (await once(socket, "data")) as [Buffer];
    deepEqual([answered[4], answered.readUInt32BE(5)], [kinds.answer, stream]);
  };
  socket.write(hello);
  await answer(1);
  socket.write(Buffer.concat([frame(kinds.go, 1), frame(kinds.cancel, 1), frame(kinds.data, 1, Buffer.from("x"))]));
  await answer(2);
  deepEqual([there.destroyed, warned], [false, []]);
});

test("an answer to nothing, or nonsense, ends the connection for who asks", async () => {
  for (const bytes of [
    frame(kinds.answer, 9, message("", "")),
    frame(kinds.ask, 1, message("", "")),
    frame(kinds.hello, 1, message("", "")),
    frame(kinds.answer, 1, Buffer.alloc(3)),
    frame(kinds.answer, 1, message("", "abc", 2)),
    Buffer.concat([1, 1].map((stream) => frame(kinds.answer, stream, message("", "a", 90_000)))),
    Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
  ]) {
    const { ask, asking, there } = await opened(() => new Promise(() => {}));
    const asked = ask("a");
    there.write(bytes);
    await rejects(asked, /is none of it/);
    equal(asking.isOver(), true);
  }
});

test("whatever frames come in whatever order, who answers goes on or ends the connection, and counts right", async () => {
  const kind = fc.constantFrom(...Object.values(kinds));
  const one = fc.oneof(
    fc
      .tuple(kind, fc.nat({ max: 6 }), fc.uint8Array({ maxLength: 12 }))
      .map(([sort, stream, payload]) => frame(sort, stream, Buffer.from(payload))),
    fc
      .tuple(fc.nat({ max: 9 }), fc.string({ maxLength: 9 }), fc.constantFrom(0, 1, 70_000, messageBytesMax))
      .map(([stream, body, more]) => frame(kinds.ask, stream, message("{}", body, Buffer.byteLength(body) + more))),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 12 }), fc.nat(), async (frames, place) => {
      const { socket, there, counts } = await connected(echo);
      socket.resume().on("error", () => {});
      const bytes = Buffer.concat([hello, ...frames]);
      const at = place % bytes.length;
      const closed = once(there, "close");
      socket.write(bytes.subarray(0, at));
      await new Promise((resolve) => setImmediate(resolve));
      socket.end(bytes.subarray(at));
      await closed;
      await new Promise((resolve) => setImmediate(resolve));
      equal(counts.over, counts.begun);
      socket.destroy();
    }),
    { numRuns: 300 },
  );
});
