// Minutes of load at a share of what is possible: does memory grow, and how late is the event loop?

import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterFolder, openCluster } from "../compare/cluster.ts";
import { load, type Request } from "../compare/load.ts";
import { coreTime } from "../compare/processes.ts";
import type { Place, Running, Target } from "../compare/targets.ts";
import type { Size } from "../compare/data.ts";
import { works } from "../compare/works.ts";
import { type Cores, databasesOf, sizeOf } from "./sizes.ts";
import type { Sample } from "./watch.ts";

export interface Segment {
  perSecond: number;
  p99Ms: number;
  failed: number;
  /** Of the core of servers, or of all cores where a server has none of its own. */
  serverCoreBusy: number;
}

export interface Endured {
  target: string;
  /** Requests a second that were possible, and of which a share was asked for. */
  mostPerSecond: number;
  share: number;
  segments: Segment[];
  samples: Sample[];
}

export interface EnduranceOptions {
  minutes: number;
  share: number;
  orders: number;
  connections: number;
}

const segmentSeconds = 10;
const warmUpSeconds = 20;
/** Reads mostly, as a shop is used: product, history, checkout. */
const mix = { W4: 7, W2: 2, W3: 1 };

export async function endure(target: Target, options: EnduranceOptions, cores: Cores): Promise<Endured> {
  const { name, size } = sizeOf(options.orders);
  const folder = await mkdtemp(join(tmpdir(), "ashlar-bench-"));
  const file = join(folder, "samples");
  await appendFile(file, "");
  const watch = new URL("./watch.ts", import.meta.url);
  watch.search = String(new URLSearchParams({ file, everyMs: String(segmentSeconds * 1_000) }));
  const cluster = await openCluster(clusterFolder(name), size, cores.loadCore, databasesOf([target]));
  try {
    const place: Place = { cluster, size, ...cores, preload: watch.href };
    const running = await target.start("W4", place);
    try {
      for (const work of works.filter(({ name }) => name in mix)) await work.check(running, size);
      const requests = mixed(running, size);
      const most = await loadFor(running, requests, options.connections, warmUpSeconds, cores);
      const begun = (await samplesOf(file)).length;
      const segments = await hold(running, requests, most.perSecond * options.share, options, cores);
      await running.settled();
      const samples = (await samplesOf(file)).slice(begun);
      return { target: target.name, mostPerSecond: most.perSecond, share: options.share, segments, samples };
    } finally {
      await running.stop();
    }
  } finally {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The generator pauses after each answer, so that it sends less than asked by what answers take: the next segment asks for more. */
async function hold(
  running: Running,
  requests: readonly Request[],
  wanted: number,
  { minutes, connections }: EnduranceOptions,
  cores: Cores,
): Promise<Segment[]> {
  const segments: Segment[] = [];
  let asked = wanted;
  for (let left = minutes * 60; left > 0; left -= segmentSeconds) {
    const one = await loadFor(running, requests, connections, segmentSeconds, cores, asked);
    segments.push(one);
    console.error(
      `  ${one.perSecond.toFixed(0)}/s, ${(100 * one.serverCoreBusy).toFixed(0)} % of the core, ${left} s left`,
    );
    const pauseSeconds = connections / wanted - (connections / one.perSecond - connections / asked);
    asked = connections / Math.max(pauseSeconds, connections / (2 * wanted));
  }
  return segments;
}

async function loadFor(
  { url }: Running,
  requests: readonly Request[],
  connections: number,
  seconds: number,
  { serverCore, loadCore }: Cores,
  perSecond?: number,
): Promise<Segment> {
  const before = coreTime(serverCore);
  const rate = perSecond === undefined ? {} : { perSecond };
  const loaded = await load({ url, requests, connections, seconds, core: loadCore, ...rate });
  const after = coreTime(serverCore);
  return {
    perSecond: loaded.requests / loaded.seconds,
    p99Ms: loaded.p99Ms,
    failed: loaded.failed,
    serverCoreBusy: (after.busy - before.busy) / (after.all - before.all),
  };
}

function mixed(running: Running, size: Size): Request[] {
  const kinds = Object.entries(mix).map(([name, count]) => ({
    count,
    requests: works.find((work) => work.name === name)!.requests(running, size),
  }));
  const rounds = 512;
  return Array.from({ length: rounds }, (_, round) =>
    kinds.flatMap(({ count, requests }) =>
      Array.from({ length: count }, (_, k) => requests[(round * count + k) % requests.length]!),
    ),
  ).flat();
}

async function samplesOf(file: string): Promise<Sample[]> {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Sample);
}
