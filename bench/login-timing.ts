// Whether the time of a refused sign-in tells why it was refused: L01, L02, L04, and L03 for the forgotten password.
//
//   npm run bench:login-timing [-- samples]
//
// Starts the store in a folder of its own and asks it on a few connections, in rounds: one of each class, in an
// order drawn anew for each round, each at an account of its own. For each pair of classes it prints the
// chance that a sample of the one took longer than a sample of the other (the AUC of the rank-sum test): 0.5
// tells nothing. Ends with 1 when any lies outside 0.45 to 0.55.

import { Agent, request } from "node:http";
import { createPasswords, type PasswordCost } from "ashlar/auth";
import { silentLogger, systemClock, systemRandom, uuidv7 } from "ashlar/base";
import { attachEmbeddedPostgres, createDatabase } from "ashlar/data";
import { createStoreFolder, type StoreProcess } from "../test/store-process.ts";

const samples = Number(process.argv[2] ?? 1_000);
const bounds = { low: 0.45, high: 0.55 };
const warmUp = 20;
const lanes = 4;
const today: PasswordCost = { memoryKiB: 19_456, passes: 2 };
const wrong = "not the password of anybody";

interface Class {
  name: string;
  path: string;
  status: number;
  body(index: number): object;
}

const signIn = (name: string, status: number, email: (index: number) => string): Class => ({
  name,
  path: "/auth/login",
  status,
  body: (index) => ({ email: email(index), password: wrong }),
});
const forgot = (name: string, email: (index: number) => string): Class => ({
  name,
  path: "/auth/password/forgot",
  status: 204,
  body: (index) => ({ email: email(index) }),
});

/** Classes are told apart within a group; between groups the answers differ anyway. */
const groups: Record<string, Class[]> = {
  "sign-ins, refused": [
    signIn("unknown", 401, (index) => `unknown${index}@example.com`),
    signIn("wrong", 401, (index) => `wrong${index}@example.com`),
    signIn("deleted", 401, (index) => `deleted${index}@example.com`),
    signIn("old hash, one pass", 401, (index) => `old${index}@example.com`),
    signIn("old hash, a fifth of the memory", 401, (index) => `small${index}@example.com`),
  ],
  "sign-ins, throttled": [
    signIn("throttled, known", 429, () => "wrong0@example.com"),
    signIn("throttled, unknown", 429, () => "unknown0@example.com"),
  ],
  "forgotten passwords": [
    forgot("known", (index) => `wrong${index}@example.com`),
    forgot("unknown", (index) => `unknown${index}@example.com`),
    forgot("deleted", (index) => `deleted${index}@example.com`),
  ],
};

const folder = await createStoreFolder();
try {
  const limits = { LIMIT_DEFAULT: "off", LIMIT_ANONYMOUS: "off", LIMIT_AUTH: "off" };
  const store = await folder.start({ NODE_ENV: "production", LOG_LEVEL: "error", ...limits });
  await registerAll(folder.directory);
  const asks = Array.from({ length: lanes }, () => createAsker(store));
  let missed = 0;
  for (const [group, classes] of Object.entries(groups)) {
    if (group === "sign-ins, throttled") await throttle(asks[0]!, classes);
    missed += report(group, await measure(asks, classes));
  }
  process.exitCode = missed === 0 ? 0 : 1;
} finally {
  await folder.remove();
}

type Ask = (one: Class, index: number) => Promise<{ status: number; tookMs: number }>;

/** One connection, one request at a time; from the first byte sent to the last one read. */
function createAsker({ url }: StoreProcess): Ask {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return ({ path, body }, index) =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify(body(index));
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
      const startedAtMs = performance.now();
      const sent = request(`${url}${path}`, { method: "POST", agent, headers }, (answer) => {
        answer.resume();
        answer.on("end", () => resolve({ status: answer.statusCode!, tookMs: performance.now() - startedAtMs }));
      });
      sent.on("error", reject);
      sent.end(text);
    });
}

async function measure(asks: readonly Ask[], classes: readonly Class[]): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(classes.map(({ name }) => [name, []]));
  let rounds = 0;
  const work = async (ask: Ask) => {
    for (let round = rounds++; round < samples + warmUp; round = rounds++) {
      for (const one of shuffled(classes)) {
        const { status, tookMs } = await ask(one, round);
        if (status !== one.status) throw new Error(`${one.name} was answered ${status}, not ${one.status}`);
        if (round >= warmUp) times.get(one.name)!.push(tookMs);
      }
    }
  };
  await Promise.all(asks.map(work));
  return times;
}

/** Fails until the next one is refused unheard. */
async function throttle(ask: Ask, classes: readonly Class[]): Promise<void> {
  for (const one of classes) while ((await ask(one, 0)).status !== 429);
}

function report(group: string, times: ReadonlyMap<string, number[]>): number {
  console.log(`\n${group}: ${samples} samples of each, interleaved\n`);
  for (const [name, of] of times) {
    const sorted = of.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(sorted.length * share)]!.toFixed(2).padStart(8);
    console.log(`  ${name.padEnd(34)} median ${at(0.5)} ms   p10 ${at(0.1)}   p90 ${at(0.9)}`);
  }
  console.log("");
  let missed = 0;
  const names = [...times.keys()];
  for (const [index, a] of names.entries()) {
    for (const b of names.slice(index + 1)) {
      const auc = areaUnderCurve(times.get(a)!, times.get(b)!);
      const isWithin = auc >= bounds.low && auc <= bounds.high;
      if (!isWithin) missed += 1;
      console.log(`  AUC ${auc.toFixed(3)}  ${isWithin ? "  " : "! "} ${a} / ${b}`);
    }
  }
  return missed;
}

/** The chance that one of `a` is greater than one of `b`, ties counting half, from the sum of ranks (Mann and Whitney). */
function areaUnderCurve(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((ms) => ({ ms, isA: true })), ...b.map((ms) => ({ ms, isA: false }))];
  all.sort((x, y) => x.ms - y.ms);
  let rankSum = 0;
  for (let start = 0; start < all.length;) {
    let end = start;
    while (end < all.length && all[end]!.ms === all[start]!.ms) end += 1;
    const rank = (start + end + 1) / 2;
    rankSum += rank * all.slice(start, end).filter(({ isA }) => isA).length;
    start = end;
  }
  return (rankSum - (a.length * (a.length + 1)) / 2) / (a.length * b.length);
}

function shuffled<T>(items: readonly T[]): T[] {
  const drawn = items.map((item) => ({ item, order: Math.random() }));
  return drawn.toSorted((a, b) => a.order - b.order).map(({ item }) => item);
}

/** An account for each sample of each class that has one, since failures in a row are counted. */
async function registerAll(directory: string): Promise<void> {
  const hashOf = (cost: PasswordCost) => createPasswords({ clock: systemClock, cost }).hash("the right password");
  const server = (await attachEmbeddedPostgres(directory))!;
  const database = createDatabase({ url: server.urlOf("users"), log: silentLogger, clock: systemClock });
  const classes: [prefix: string, cost: PasswordCost, deleted: boolean][] = [
    ["wrong", today, false],
    ["deleted", today, true],
    ["old", { memoryKiB: today.memoryKiB, passes: 1 }, false],
    ["small", { memoryKiB: Math.round(today.memoryKiB / 5), passes: 2 }, false],
  ];
  for (const [prefix, cost, deleted] of classes) {
    const ids = Array.from({ length: samples + warmUp }, () => uuidv7(systemClock, systemRandom));
    await database.query(
      `insert into users (id, email, name, password_hash, deleted_at)
       select id, $2 || (ordinality - 1) || '@example.com', 'Sample', $3, case when $4 then now() end
       from unnest($1::uuid[]) with ordinality as t (id, ordinality)`,
      [ids, prefix, await hashOf(cost), deleted],
    );
  }
  await database.query("analyze users");
  await database.close();
}
