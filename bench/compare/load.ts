// Loads a target: with wrk where it is installed, which takes least of the core it shares with PostgreSQL; else with autocannon.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { installPeer } from "./peers.ts";
import { exists, pinned } from "./processes.ts";

const run = promisify(execFile);

export interface Request {
  method: "GET" | "POST";
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
}

export interface Loaded {
  requests: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  /** What latencies are multiples of. */
  latencyStepMs: number;
  /** Answers of 400 and above, and those that did not come. */
  failed: number;
}

export interface LoadOptions {
  url: string;
  requests: readonly Request[];
  connections: number;
  seconds: number;
  core: number;
  /** At most so many, spread by chance as if each came from somebody else; as fast as answers come when left out. */
  perSecond?: number;
}

/** In the place of a key for idempotency: each request that is sent gets another. */
export const freshKey = "KEY-OF-THIS-REQUEST";

export const generator = exists("wrk") ? "wrk" : "autocannon";
const script = fileURLToPath(new URL("load.lua", import.meta.url));

export async function load(options: LoadOptions): Promise<Loaded> {
  const folder = await mkdtemp(join(tmpdir(), "ashlar-bench-"));
  try {
    const { stdout } = await (generator === "wrk" ? runWrk(options, folder) : runAutocannon(options, folder));
    return JSON.parse(stdout.trim().split("\n").at(-1)!) as Loaded;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runWrk({ url, requests, connections, seconds, core, perSecond }: LoadOptions, folder: string) {
  const file = join(folder, "requests.lua");
  await writeFile(file, `return {${requests.map(luaOf).join(",\n")}}`);
  const words = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--timeout",
    "30s",
    "-s",
    script,
    url,
    "--",
    file,
    newRun(),
    // Milliseconds between two requests of one connection; wrk waits after an answer, so this is a little much.
    perSecond === undefined ? "0" : String((connections * 1_000) / perSecond),
  ];
  const [program, ...rest] = pinned(["wrk", ...words], core);
  return run(program!, rest);
}

async function runAutocannon({ url, requests, connections, seconds, core, perSecond }: LoadOptions, folder: string) {
  const peer = await installPeer("load");
  const file = join(folder, "requests.json");
  await writeFile(file, JSON.stringify(requests));
  const words = [
    join(peer, "load.js"),
    file,
    url,
    String(connections),
    String(seconds),
    newRun(),
    String(perSecond ?? 0),
  ];
  const [program, ...rest] = pinned([process.execPath, ...words], core);
  return run(program!, rest);
}

const newRun = () => randomBytes(9).toString("base64url");

function luaOf({ method, path, headers, body }: Request): string {
  const lines = Object.entries(headers).map(([name, value]) => `[${luaText(name)}]=${luaText(value)}`);
  const content = body === undefined ? "" : `,body=${luaText(body)}`;
  return `{method=${luaText(method)},path=${luaText(path)},headers={${lines.join(",")}}${content}}`;
}

/** What is sent is ASCII, and of that the two languages write text alike. */
function luaText(text: string): string {
  return JSON.stringify(text);
}
