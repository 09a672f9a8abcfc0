// How a system ends: in which order it lets go, and that it is over in time whatever hangs.

import { deepEqual, equal, ok } from "node:assert/strict";
import { connect } from "node:net";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Logger, silentLogger } from "../base/index.ts";
import { anyone, event, get, id, object, post, service, text } from "../contract/index.ts";
import { implement, on } from "../service/index.ts";
import { startTestSystem } from "../testing/index.ts";

const folder = mkdtempSync(join(tmpdir(), "ashlar-migrations-"));
after(() => rm(folder, { recursive: true }));
writeFileSync(join(folder, "0001_calls.sql"), "create table calls (name text);");
const migrations = pathToFileURL(`${folder}/`);

const rang = event("bell.rung", { aggregate: "bel", summary: "A bell", data: object({}) });
const bell = "bel_01h455vb4pex5vsknk084sn02q";
const longText = "x".repeat(8_000_000);

/** A system whose handlers, subscribers and jobs end when they are told to, or never. */
async function startBells(log: Logger = silentLogger) {
  const reached = { handler: Promise.withResolvers<void>(), subscriber: Promise.withResolvers<void>() };
  const mayEnd = Promise.withResolvers<void>();
  const said: string[] = [];
  const contract = service("bells", {
    summary: "Bells",
    events: [rang],
    subscribes: [rang.type],
    operations: {
      ring: post("/rings", { summary: "Ring", access: anyone, emits: [rang] }),
      hang: post("/hangs", { summary: "Hang", access: anyone }),
      read: get("/texts/{id}", {
        summary: "Read",
        access: anyone,
        params: { id: id("bel") },
        returns: object({ text: text({ max: longText.length }) }),
      }),
    },
  });
  const implementation = implement(contract, {
    migrations,
    handlers: {
      ring: (ctx) => ctx.transaction((tx) => ctx.emit(tx, rang, { aggregateId: bell, data: {} })),
      hang: (ctx) =>
        ctx.transaction(async () => {
          reached.handler.resolve();
          await mayEnd.promise;
        }),
      read: async () => ({ text: longText }),
    },
    subscribers: [
      on(rang, async () => {
        reached.subscriber.resolve();
        await mayEnd.promise;
        said.push("subscriber ended");
      }),
    ],
  });
  const definition = {
    name: "bells",
    title: "Bells",
    version: "0.0.0",
    contracts: [contract],
    services: () => [implementation],
  };
  const system = await startTestSystem({ definition, log, topology: "single" });
  return { system, reached, mayEnd, said };
}

const hearing = (said: string[]): Logger => ({
  ...silentLogger,
  warn: (_, message) => void said.push(message),
  child: () => hearing(said),
});

test("first it is not ready and serves on, then it accepts nothing, then what is in hand ends, events last", async () => {
  const { system, reached, mayEnd, said } = await startBells();
  await system.request("POST", "/v1/rings");
  await reached.subscriber.promise;
  const hanging = system.request("POST", "/v1/hangs").then(({ status }) => said.push(`handler ended ${status}`));
  await reached.handler.promise;
  const ended = system.system.stop({ leadMs: 5_000 }).then(() => said.push("system ended"));

  const ready = await system.request("GET", "/health/ready");
  deepEqual([ready.status, ready.headers.get("connection")], [503, "close"]);
  await system.clock.advance(4_999);
  const served = await system.request("GET", "/health/live");
  deepEqual([served.status, served.headers.get("connection")], [200, "close"]);
  await system.clock.advance(1);
  await system.request("GET", "/health/live").then(
    () => said.push("served"),
    () => said.push("refused"),
  );
  mayEnd.resolve();
  await Promise.all([hanging, ended]);
  deepEqual(said.toSorted(), ["handler ended 204", "refused", "subscriber ended", "system ended"]);
  equal(said[0], "refused");
  equal(said.at(-1), "system ended");
});

test("it is over in time though a handler keeps its transaction, a subscriber hangs and a client does not read", async () => {
  const warned: string[] = [];
  const { system, reached } = await startBells(hearing(warned));
  await system.request("POST", "/v1/rings");
  await reached.subscriber.promise;
  const hanging = system.request("POST", "/v1/hangs").catch(() => "cut");
  await reached.handler.promise;
  const { port } = new URL(system.system.url);
  const reader = connect(Number(port), "127.0.0.1");
  reader.on("error", () => {});
  reader.write(`GET /v1/texts/${bell} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await new Promise((resolve) => reader.once("readable", resolve));

  const startMs = system.clock.nowMs();
  const state = { ended: false };
  const stopped = system.system.stop({ leadMs: 5_000 }).then(() => (state.ended = true));
  while (!state.ended && system.clock.nowMs() - startMs < 9_500) await system.clock.advance(100);
  ok(state.ended, warned.join("; "));
  await stopped;
  equal(await hanging, "cut");
  ok(warned.includes("Requests were cut at the end of the grace period"), warned.join("; "));
  reader.destroy();
});
