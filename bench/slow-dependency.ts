// What a slow catalog does to checkouts, and to those who only look at products.
//
//   npm run bench:slow-dependency [-- seconds]
//
// Starts the store as four processes in a folder of its own and sends product lists and checkouts at a steady rate, in
// turns with catalog well and with catalog slow. What is slow is setting stock aside, the call that orders makes of
// catalog in each checkout: a trigger in the database of catalog has each reservation take 3 s. Lists are answered by
// the same process and database, and must not feel it: what the calls may hold there, and at the gateway,
// is bounded. A checkout fails after the 2 s that its contract gives the call, then at once, while the circuit is open.
//
// Ends with 1 unless the p99 of lists stays within 1.5 of the one while all is well (the median of the turns), every
// checkout that fails is 503 or 504, some are refused at once, and checkouts succeed again when catalog is well.

import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger, systemClock, systemRandom, encodeId, uuidv7 } from "ashlar/base";
import { attachEmbeddedPostgres, createDatabase, type Database } from "ashlar/data";
import { createStoreFolder } from "../test/store-process.ts";

const seconds = Number(process.argv[2] ?? 10);
const turns = 3;
const listsPerSecond = 50;
const checkoutsPerSecond = 10;
const products = 1_000;
const slowMs = 3_000;
const atOnceMs = 500;
const timesMax = 1.5;

interface Answered {
  status: number;
  tookMs: number;
}

interface Turn {
  lists: Answered[];
  checkouts: Answered[];
}

const folder = await createStoreFolder();
try {
  const limits = { LIMIT_DEFAULT: "off", LIMIT_ANONYMOUS: "off", LIMIT_AUTH: "off" };
  const { url } = await folder.start({ LOG_LEVEL: "error", ...limits }, "--topology", "split");
  const postgres = (await attachEmbeddedPostgres(folder.directory))!;
  const catalog = createDatabase({ url: postgres.urlOf("catalog"), log: silentLogger, clock: systemClock });
  const productIds = await addProducts(catalog);
  const authorization = await signIn(url);
  const load = () => send(url, productIds, authorization);
  await load();
  const well: Turn[] = [];
  const slow: Turn[] = [];
  for (let turn = 0; turn < turns; turn++) {
    well.push(await load());
    await slowDown(catalog);
    slow.push(await load());
    await catalog.query("drop trigger slow on reservations");
    // Until the probes have found it well.
    await wellAgain(url, productIds, authorization);
  }
  await catalog.close();
  process.exitCode = report(well, slow) ? 0 : 1;
} finally {
  await folder.remove();
}

async function addProducts(database: Database): Promise<string[]> {
  const ids = Array.from({ length: products }, () => uuidv7(systemClock, systemRandom));
  await database.query(
    `insert into products (id, sku, name, description, price, currency, stock)
     select id, 'SLOW-' || ordinality, 'Product ' || ordinality, repeat('A product to be read. ', 5), ordinality, 'EUR', 100000
     from unnest($1::uuid[]) with ordinality as t (id, ordinality)`,
    [ids],
  );
  await database.query("analyze products");
  return ids.map((id) => encodeId("prd", id));
}

async function slowDown(database: Database): Promise<void> {
  await database.query(
    `create or replace function be_slow() returns trigger language plpgsql as
     $$ begin perform pg_sleep(${slowMs / 1_000}); return new; end $$`,
  );
  await database.query("create trigger slow before insert on reservations for each row execute function be_slow()");
}

async function signIn(url: string): Promise<string> {
  const answer = await fetch(`${url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "member@example.com", password: "ashlar-demo" }),
  });
  const { accessToken } = (await answer.json()) as { accessToken: string };
  return `Bearer ${accessToken}`;
}

/** Sends both at their rates, whether or not those before were answered. */
async function send(url: string, productIds: readonly string[], authorization: string): Promise<Turn> {
  const [lists, checkouts] = await Promise.all([
    atRate(listsPerSecond, () =>
      ask(`${url}/v1/products?limit=20&page=${Math.floor(Math.random() * 40) + 1}`, { headers: {} }),
    ),
    atRate(checkoutsPerSecond, () => checkout(url, productIds, authorization)),
  ]);
  return { lists, checkouts };
}

async function atRate(perSecond: number, one: () => Promise<Answered>): Promise<Answered[]> {
  const startedMs = performance.now();
  const sent: Promise<Answered>[] = [];
  while (performance.now() - startedMs < seconds * 1_000) {
    const due = ((performance.now() - startedMs) / 1_000) * perSecond;
    while (sent.length < due) sent.push(one());
    await sleep(2);
  }
  return Promise.all(sent);
}

function checkout(url: string, productIds: readonly string[], authorization: string): Promise<Answered> {
  const productId = productIds[Math.floor(Math.random() * productIds.length)]!;
  return ask(`${url}/v1/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization },
    body: JSON.stringify({ items: [{ productId, quantity: 1 }] }),
  });
}

async function ask(url: string, request: RequestInit): Promise<Answered> {
  const startedMs = performance.now();
  const answer = await fetch(url, request);
  await answer.arrayBuffer();
  return { status: answer.status, tookMs: performance.now() - startedMs };
}

async function wellAgain(url: string, productIds: readonly string[], authorization: string): Promise<void> {
  const startedMs = performance.now();
  for (let succeeded = 0; succeeded < 5;) {
    if (performance.now() - startedMs > 30_000) throw new Error("Checkouts do not succeed again");
    const { status } = await checkout(url, productIds, authorization);
    succeeded = status === 201 ? succeeded + 1 : 0;
    await sleep(100);
  }
  console.log(`  checkouts succeed again after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
}

function report(well: readonly Turn[], slow: readonly Turn[]): boolean {
  console.log(
    `\n${turns} turns of ${seconds} s each: ${listsPerSecond} lists and ${checkoutsPerSecond} checkouts a second\n`,
  );
  for (const [turn, quiet] of well.entries()) {
    line("well", quiet);
    line("slow", slow[turn]!);
  }
  const [quietMs, slowListMs] = [well, slow].map((all) => median(all.map(({ lists }) => at(lists, 0.99)))) as [
    number,
    number,
  ];
  const failed = slow.flatMap(({ checkouts }) => checkouts).filter(({ status }) => status >= 400);
  const refusedAtOnce = failed.filter(({ status, tookMs }) => status === 503 && tookMs < atOnceMs).length;
  const times = slowListMs / quietMs;
  console.log(`\n  p99 of lists ${times.toFixed(2)} times the one while all is well (at most ${timesMax})`);
  console.log(`  of ${failed.length} checkouts that failed ${refusedAtOnce} were refused at once`);
  const listsServed = [...well, ...slow].every(({ lists }) => lists.every(({ status }) => status === 200));
  const asPromised = failed.every(({ status }) => status === 503 || status === 504);
  return times <= timesMax && listsServed && asPromised && refusedAtOnce > 0;
}

function line(name: string, { lists, checkouts }: Turn): void {
  const counts = new Map<number, Answered[]>();
  for (const one of checkouts) counts.set(one.status, [...(counts.get(one.status) ?? []), one]);
  const ends = [...counts]
    .toSorted(([a], [b]) => a - b)
    .map(([status, all]) => `${all.length} x ${status} (p50 ${at(all, 0.5).toFixed(0)} ms)`);
  console.log(
    `  ${name}   lists p50 ${at(lists, 0.5).toFixed(1).padStart(6)} ms, p99 ${at(lists, 0.99).toFixed(1).padStart(6)} ms   checkouts ${ends.join(", ")}`,
  );
}

function at(answers: readonly Answered[], share: number): number {
  return answers.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b)[Math.floor(answers.length * share)]!;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
