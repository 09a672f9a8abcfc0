import { equal, match, doesNotMatch } from "node:assert/strict";
import { connect } from "node:net";
import { after, test } from "node:test";
import { createManualClock, silentLogger, systemRandom } from "../base/index.ts";
import { moving } from "../testing/index.ts";
import { createHttpServer } from "./server.ts";

const clock = createManualClock();
let arrived = Promise.withResolvers<void>();
let closed = Promise.withResolvers<boolean>();
let answer = Promise.withResolvers<void>();
const server = createHttpServer({
  port: 0,
  host: "127.0.0.1",
  log: silentLogger,
  clock,
  random: systemRandom,
  async handle(_request, response) {
    response.once("close", () => closed.resolve(response.writableFinished));
    arrived.resolve();
    await answer.promise;
    response.end("here");
  },
});
const port = await server.listen();
after(() => server.drain(0));

/** Sends a request and ends its side, or the whole connection. */
async function ask(version: string, { goes }: { goes: boolean }) {
  arrived = Promise.withResolvers();
  closed = Promise.withResolvers();
  answer = Promise.withResolvers();
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  socket.on("data", (chunk) => (text += String(chunk))).on("error", () => {});
  const ended = new Promise<string>((resolve) => socket.once("end", () => resolve(text)));
  socket.write(`GET / ${version}\r\nHost: x\r\n\r\n`);
  await arrived.promise;
  if (goes) socket.destroy();
  else socket.end();
  return { ended, text: () => text };
}

test("a client that is gone is noticed before its answer", async () => {
  await ask("HTTP/1.1", { goes: true });
  equal(await moving(clock, closed.promise), false);
  answer.resolve();
});

test("a client that only ended its side gets its answer, and is asked in between whether it is there", async () => {
  const { ended, text: soFar } = await ask("HTTP/1.1", { goes: false });
  while (soFar().split(" 102 ").length < 4) await clock.advance(100);
  answer.resolve();
  const text = await ended;
  match(text, /^(HTTP\/1\.1 102 Processing\r\n\r\n)+HTTP\/1\.1 200 OK\r\n/);
  match(text, /here$/);
  equal(await closed.promise, true);
});

test("one that speaks HTTP/1.0 knows no interim answers and gets none", async () => {
  const { ended } = await ask("HTTP/1.0", { goes: false });
  for (let ms = 0; ms < 3_000; ms += 100) await clock.advance(100);
  answer.resolve();
  const text = await ended;
  doesNotMatch(text, / 102 /);
  match(text, /here$/);
});
