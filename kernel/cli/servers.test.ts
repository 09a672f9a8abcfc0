import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { silentLogger, systemRandom } from "../base/index.ts";
import { type AppSettings, type Beside, createApp } from "../runtime/index.ts";
import { topologyOf } from "./place.ts";
import { type Plan, planOf, startServers, withoutServers } from "./servers.ts";

const folder = await mkdtemp(join(tmpdir(), "ashlar-servers-"));
after(() => rm(folder, { recursive: true, force: true }));
const urls = { NATS_URL: "nats://10.0.0.1:4222", REDIS_URL: "redis://10.0.0.1:6379" };
const app = createApp({ name: "empty", services: [] });
const settingsWith = (environment: Record<string, string>): AppSettings =>
  app.readSettings({ ...environment, ASHLAR_DATA: folder });

function start(plan: Plan, path = "", environment = {}) {
  const told: string[] = [];
  const onProgress = (message: string) => void told.push(message);
  const lent = { path, random: systemRandom, log: silentLogger, onProgress };
  return { told, servers: startServers({ settings: settingsWith(environment), plan, ...lent }) };
}

test("the command line decides about bus and cache, then the environment, then the file of topologies, then what is installed", () => {
  const plan = (environment: Record<string, string>, asked: Beside, file?: Beside) => {
    const { bus, cache } = planOf(settingsWith(environment), asked, file);
    return `${bus} ${cache}`;
  };
  const none: Beside = { bus: "postgres", cache: "memory" };
  const both: Beside = { bus: "nats", cache: "redis" };
  equal(plan({}, {}), "installed installed");
  equal(plan({}, {}, none), "postgres memory");
  equal(plan({}, {}, both), "nats redis");
  equal(plan(urls, {}, none), "configured configured");
  equal(plan({ NATS_URL: urls.NATS_URL }, {}, both), "configured redis");
  equal(plan(urls, none, both), "postgres memory");
  equal(plan(urls, both, none), "configured configured");
  equal(plan({}, both, none), "nats redis");
});

test("a process by itself starts no server: it uses what is configured, and refuses a bus that is not", () => {
  const configured = withoutServers(settingsWith(urls), { bus: "configured", cache: "configured" }, "orders");
  deepEqual([configured.system.natsUrl, configured.system.redisUrl], [urls.NATS_URL, urls.REDIS_URL]);
  const none = withoutServers(settingsWith(urls), { bus: "postgres", cache: "memory" }, "orders");
  deepEqual([none.system.natsUrl, none.system.redisUrl], [undefined, undefined]);
  const found = withoutServers(settingsWith({}), { bus: "installed", cache: "installed" }, "orders");
  deepEqual([found.system.natsUrl, found.system.redisUrl], [undefined, undefined]);
  throws(
    () => withoutServers(settingsWith({}), { bus: "nats", cache: "redis" }, "orders"),
    /The process orders needs NATS_URL and REDIS_URL/,
  );
});

test("a bus and a cache are for topologies: one process has nobody to share them with", () => {
  throws(() => topologyOf(app, { bus: "nats" }), /--bus and --cache need --topology/);
  throws(() => topologyOf(app, { topology: "single", cache: "redis" }), /--bus and --cache need --topology/);
  equal(topologyOf(app, { topology: "single" }), undefined);
});

test("what is not installed is named once with its package, and the topology goes on without", async () => {
  const { told, servers } = start({ bus: "installed", cache: "installed" });
  const { environment, words } = await servers;
  deepEqual(environment, { NATS_URL: undefined, REDIS_URL: undefined });
  deepEqual(words, ["--bus", "postgres", "--cache", "memory"]);
  deepEqual(told, [
    "nats-server is not installed (apt install nats-server): events are handed from process to process",
    "Neither redis-server nor valkey-server is installed (apt install redis-server): each process caches and counts limits by itself",
  ]);
});

test("what was asked for and is not installed is refused, with both ways out", async () => {
  await rejects(
    start({ bus: "nats", cache: "memory" }).servers,
    /apt install nats-server\)\. --bus postgres runs without it/,
  );
  await rejects(
    start({ bus: "postgres", cache: "redis" }).servers,
    /apt install redis-server\)\. --cache memory runs without it/,
  );
});

test("what is configured, or not wanted, is neither looked for nor started", async () => {
  const configured = start({ bus: "configured", cache: "configured" }, "", urls);
  const { environment, words } = await configured.servers;
  deepEqual([environment, words, configured.told], [urls, ["--bus", "nats", "--cache", "redis"], []]);
  const none = start({ bus: "postgres", cache: "memory" }, process.env["PATH"], urls);
  deepEqual([(await none.servers).environment, none.told], [{ NATS_URL: undefined, REDIS_URL: undefined }, []]);
  deepEqual(await readdir(folder), []);
});

test("a bus for a topology that there is not is refused", () => {
  throws(
    () => createApp({ name: "empty", services: [], beside: { split: { bus: "nats" } } }),
    /There is no topology "split"/,
  );
});

test("a server that cannot start ends the start with what it said", async () => {
  const programs = await mkdtemp(join(tmpdir(), "ashlar-programs-"));
  await writeFile(join(programs, "nats-server"), '#!/bin/sh\necho "no room for $1" >&2\nexit 3\n', { mode: 0o755 });
  await rejects(
    start({ bus: "installed", cache: "memory" }, programs).servers,
    /^Error: nats did not start\. It said:\nno room for --config$/,
  );
  await rm(programs, { recursive: true });
});
