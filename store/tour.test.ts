// The store as a newcomer meets it: started, toured, asked for its events, stopped.

import { deepEqual, equal, match } from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createStoreFolder } from "../test/store-process.ts";

const tourFile = fileURLToPath(new URL("./tour.ts", import.meta.url));
const folder = await createStoreFolder();
after(() => folder.remove());

/** Plays the tour to its end. */
function tour(url: string): Promise<{ code: number; output: string }> {
  const env = { ...process.env, ASHLAR_DATA: folder.directory };
  return new Promise((resolve) => {
    execFile(process.execPath, [tourFile, url], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

function linesOf(text: string): Record<string, unknown>[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("of a store that never ran there are no events, and asking makes nothing", async () => {
  const { code, stdout, stderr } = await folder.cli("events", "list");
  deepEqual([code, stdout], [1, ""]);
  match(stderr, /^ashlar: There is nothing in .* yet/);
  equal(existsSync(join(folder.directory, "postgres")), false);
});

test("a tour of no store says where it looked and how to start one", async () => {
  const { code, output } = await tour("http://127.0.0.1:1024");
  equal(code, 1);
  match(output, /There is no store at http:\/\/127\.0\.0\.1:1024 .*npm start/);
});

test("a store is toured, tells its events, and ends when asked", { timeout: 180_000 }, async () => {
  const store = await folder.start({ LIMIT_AUTH: "off" });
  const complaints = () =>
    linesOf(store.output()).filter(({ level, security }) => level !== "info" && security === undefined);
  const first = await tour(store.url);
  equal(first.code, 0, `${first.output}\n${JSON.stringify(complaints())}`);
  match(first.output, /order\.cancelled/, "the tour shows the events");
  const again = await tour(store.url);
  equal(again.code, 0, `the tour can be repeated: ${again.output}`);

  const second = await folder.cli("start");
  equal(second.code, 1);
  match(second.stdout, /is using the data folder .*ASHLAR_DATA/);

  const placed = linesOf((await folder.cli("events", "list", "--type", "order.created")).stdout);
  equal(placed.length, 4);
  const envelope = ["id", "type", "aggregateId", "timestamp", "version", "traceparent", "data"];
  for (const event of placed) deepEqual(Object.keys(event), envelope);

  equal(await store.stop(), 0);
  deepEqual(complaints(), []);
  equal(linesOf(store.output()).at(-1)!.msg, "Stopped");

  // The store is stopped; its events are still there to be read.
  const all = linesOf((await folder.cli("events", "list", "--limit", "1000")).stdout);
  const moments = all.map(({ timestamp }) => String(timestamp));
  deepEqual(moments, moments.toSorted(), "the events of all services, in one order");
  const ofOrder = await folder.cli("events", "list", "--aggregate", String(placed[0]!.aggregateId), "--state");
  deepEqual(
    linesOf(ofOrder.stdout).map(({ type, service, state }) => [type, service, state]),
    [
      ["order.created", "orders", "delivered"],
      ["stock.committed", "catalog", "delivered"],
      ["order.confirmed", "orders", "delivered"],
      ["order.shipped", "orders", "delivered"],
      ["order.delivered", "orders", "delivered"],
    ],
  );
});
