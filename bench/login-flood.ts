// What a flood of wrong logins does to everybody else.
//
//   npm run bench:login-flood [-- seconds]
//
// Starts the store in a folder of its own and reads products on a few connections as fast as they are answered,
// in turns without and with 200 wrong logins a second beside it. The logins come as from a botnet: each for
// another account, and the limit per address is off, so nothing stops them before the password. Ends with 1
// unless reads keep half of their throughput and their p99 stays below ten times the quiet one.

import { Agent, request } from "node:http";
import { silentLogger, systemClock, systemRandom, uuidv7 } from "ashlar/base";
import { attachEmbeddedPostgres, createDatabase } from "ashlar/data";
import { createStoreFolder } from "../test/store-process.ts";

const seconds = Number(process.argv[2] ?? 10);
const turns = 3;
const loginsPerSecond = 200;
const readers = 8;
const products = 1_000;
const goals = { shareOfThroughput: 0.5, timesOfP99: 10 };

interface Reads {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

const folder = await createStoreFolder();
try {
  const limits = { LIMIT_DEFAULT: "off", LIMIT_ANONYMOUS: "off", LIMIT_AUTH: "off" };
  const { url } = await folder.start({ NODE_ENV: "production", LOG_LEVEL: "error", ...limits });
  const paths = await addProducts(folder.directory);
  await read(url, paths, 2);
  const quiet: Reads[] = [];
  const flooded: Reads[] = [];
  const answers = new Map<number, number>();
  for (let turn = 0; turn < turns; turn++) {
    quiet.push(await read(url, paths, seconds));
    const flood = startFlood(url, answers);
    flooded.push(await read(url, paths, seconds));
    await flood.stop();
  }
  process.exitCode = report(quiet, flooded, answers) ? 0 : 1;
} finally {
  await folder.remove();
}

/** Reads on every connection until the time is over. */
async function read(url: string, paths: readonly string[], forSeconds: number): Promise<Reads> {
  const agent = new Agent({ keepAlive: true, maxSockets: readers });
  const startedAtMs = performance.now();
  const times: number[] = [];
  const work = async () => {
    while (performance.now() - startedAtMs < forSeconds * 1000) {
      const path = paths[Math.floor(Math.random() * paths.length)]!;
      const { status, tookMs } = await ask({ url, path, agent, method: "GET" });
      if (status !== 200) throw new Error(`${path} was answered ${status}`);
      times.push(tookMs);
    }
  };
  await Promise.all(Array.from({ length: readers }, work));
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!;
  return { perSecond: times.length / forSeconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** Sends logins at their rate, whether or not the ones before were answered. */
function startFlood(url: string, answers: Map<number, number>) {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const under = new Set<Promise<void>>();
  const startedAtMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAtMs) / 1000) * loginsPerSecond;
    for (; sent < due; sent++) {
      const body = JSON.stringify({
        email: `${uuidv7(systemClock, systemRandom)}@example.com`,
        password: "wrong password",
      });
      const answered = ask({ url, path: "/auth/login", agent, method: "POST", body }).then(({ status }) => {
        answers.set(status, (answers.get(status) ?? 0) + 1);
        under.delete(answered);
      });
      under.add(answered);
    }
  }, 5);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      agent.destroy();
    },
  };
}

interface Asked {
  url: string;
  path: string;
  agent: Agent;
  method: string;
  body?: string;
}

function ask({ url, path, agent, method, body }: Asked): Promise<{ status: number; tookMs: number }> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined
        ? { "accept-encoding": "br" }
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const startedAtMs = performance.now();
    const sent = request(`${url}${path}`, { method, agent, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve({ status: answer.statusCode!, tookMs: performance.now() - startedAtMs }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function report(quiet: readonly Reads[], flooded: readonly Reads[], answers: ReadonlyMap<number, number>): boolean {
  const line = (name: string, { perSecond, p50Ms, p99Ms }: Reads) =>
    console.log(
      `  ${name.padEnd(10)} ${perSecond.toFixed(0).padStart(6)} reads/s   p50 ${p50Ms.toFixed(2).padStart(7)} ms   p99 ${p99Ms.toFixed(2).padStart(7)} ms`,
    );
  console.log(
    `\n${turns} turns of ${seconds} s each, ${readers} connections, ${loginsPerSecond} wrong logins a second\n`,
  );
  for (const [turn, reads] of quiet.entries()) {
    line("quiet", reads);
    line("flooded", flooded[turn]!);
  }
  const share = median(flooded, "perSecond") / median(quiet, "perSecond");
  const times = median(flooded, "p99Ms") / median(quiet, "p99Ms");
  const counts = [...answers].map(([status, count]) => `${status}: ${count}`).join(", ");
  console.log(`\n  logins answered ${counts}`);
  console.log(`  throughput kept ${share.toFixed(2)} (at least ${goals.shareOfThroughput})`);
  console.log(`  p99 ${times.toFixed(1)} times the quiet one (below ${goals.timesOfP99})`);
  return share >= goals.shareOfThroughput && times < goals.timesOfP99;
}

function median(reads: readonly Reads[], of: keyof Reads): number {
  return reads.map((each) => each[of]).toSorted((a, b) => a - b)[Math.floor(reads.length / 2)]!;
}

/** What is read: pages, which are compressed in the thread pool that hashing uses, and single products. */
async function addProducts(directory: string): Promise<string[]> {
  const server = (await attachEmbeddedPostgres(directory))!;
  const database = createDatabase({ url: server.urlOf("catalog"), log: silentLogger, clock: systemClock });
  const ids = Array.from({ length: products }, () => uuidv7(systemClock, systemRandom));
  await database.query(
    `insert into products (id, sku, name, description, price, currency, stock)
     select id, 'FLOOD-' || ordinality, 'Product ' || ordinality, repeat('A product to be read. ', 5), ordinality, 'EUR', 10
     from unnest($1::uuid[]) with ordinality as t (id, ordinality)`,
    [ids],
  );
  await database.query("analyze products");
  await database.close();
  const pages = Array.from({ length: 10 }, (_, index) => `/v1/products?limit=20&page=${index + 1}`);
  const singles = Array.from({ length: 10 }, (_, index) => `/v1/products?sku=FLOOD-${index + 1}`);
  return [...pages, ...singles];
}
