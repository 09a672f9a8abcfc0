// A limit: what PostgreSQL answers when nobody stands in front of it.
//
// pgbench sends the statements of the expert one by one on each connection, prepared, from the core of the load. Its
// parameters are numbers, from which the statements make ids.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { silentLogger, systemClock } from "ashlar/base";
import { createDatabase } from "ashlar/data";
import type { Cluster } from "./cluster.ts";
import { itemsPerOrder, regulars, type Size, uuidOf, uuidSql } from "./data.ts";
import type { Loaded } from "./load.ts";
import { pinned } from "./processes.ts";
import type { Target } from "./targets.ts";

const run = promisify(execFile);

interface Script {
  numbers: (size: Size) => Record<string, number>;
  statements: readonly string[];
  /** Of the first statement. */
  rows: number;
}

const columns = `id, sku, name, description, price::float8 as price, currency, stock, version, created_at, updated_at`;
const lines = ["a", "b", "c"].slice(0, itemsPerOrder);
const scripts: Readonly<Record<string, Script>> = {
  W1: {
    numbers: ({ products }) => ({ n: products }),
    statements: [`select ${columns} from products where id = ${uuidSql("product", ":n")}`],
    rows: 1,
  },
  W2: {
    numbers: () => ({ n: regulars }),
    statements: [
      `select id, user_id, status, total::float8 as total, currency, version, created_at, updated_at,
        (select json_agg(json_build_object('productId', product_id, 'sku', sku, 'name', name, 'quantity', quantity,
          'unitPrice', unit_price::float8, 'lineTotal', (unit_price * quantity)::float8) order by line)
         from order_items where order_id = o.id) as items
       from orders as o where user_id = ${uuidSql("user", ":n")} order by created_at desc, id desc limit 20`,
    ],
    rows: 20,
  },
  W3: {
    numbers: ({ products }) => ({ n: regulars, ...Object.fromEntries(lines.map((name) => [name, products - 3])) }),
    statements: [
      `select id, sku, name, price::float8 as price, currency from products
       where id in (${lines.map((name, k) => uuidSql("product", `${k} + :${name}`)).join(", ")})`,
      `with one as (select gen_random_uuid() as id), placed as (
         insert into orders (id, user_id, status, total, currency, created_at, updated_at)
         select id, ${uuidSql("user", ":n")}, 'pending', 123.45, 'EUR', now(), now() from one
       ), filled as (
         insert into order_items (order_id, line, product_id, sku, name, quantity, unit_price)
         select id, line, ${uuidSql("product", "n")}, 'SKU-' || n, 'Product ' || n, 2, 12.34
         from one, (values ${lines.map((name, k) => `(${k}, ${k} + :${name})`).join(", ")}) as l (line, n)
       )
       insert into outbox (id, type, aggregate_id, data, created_at)
       select gen_random_uuid(), 'order.created', id, '${JSON.stringify(sample())}', now() from one`,
    ],
    rows: itemsPerOrder,
  },
};

/** An event as long as the expert's. */
function sample() {
  const id = uuidOf("product", 1);
  const item = { line: 0, productId: id, sku: "SKU-1", name: "Product 1", quantity: 2, unitPrice: 12.34 };
  const at = "2026-01-01T00:00:00.000Z";
  const items = lines.map(() => item);
  const amounts = { total: 123.45, currency: "EUR", version: 1 };
  return { id, userId: id, status: "pending", items, ...amounts, createdAt: at, updatedAt: at };
}

const urls = new Map<Cluster, string>();

export const pgbench: Target = {
  name: "pgbench",
  about: "the expert's statements, one by one, with no service in front",
  works: Object.keys(scripts),
  needs: "pgbench",
  async start(work, { cluster, size, loadCore }) {
    if (!urls.has(cluster)) urls.set(cluster, await cluster.copy("shop", "pgbench_shop"));
    const url = urls.get(cluster)!;
    const script = scripts[work]!;
    await check(script, url, size);
    return {
      url,
      startedMs: 0,
      tokens: [],
      idOf: uuidOf,
      drive: (connections, seconds) => drive(script, { url, size, connections, seconds, core: loadCore }),
      settled: async () => {},
      stop: async () => {},
    };
  },
};

async function check({ numbers, statements, rows }: Script, url: string, size: Size): Promise<void> {
  const database = createDatabase({ url, log: silentLogger, clock: systemClock, readers: 1 });
  try {
    const found = statements.map((sql) =>
      database.query(Object.keys(numbers(size)).reduce((text, name) => text.replaceAll(`:${name}`, "1"), sql)),
    );
    assert.equal((await Promise.all(found))[0]!.rows.length, rows);
  } finally {
    await database.close();
  }
}

interface Drive {
  url: string;
  size: Size;
  connections: number;
  seconds: number;
  core: number;
}

async function drive(script: Script, { url, size, connections, seconds, core }: Drive): Promise<Loaded> {
  const folder = await mkdtemp(join(tmpdir(), "ashlar-bench-"));
  try {
    const file = join(folder, "script.sql");
    const sets = Object.entries(script.numbers(size)).map(([name, last]) => `\\set ${name} random(1, ${last})`);
    await writeFile(file, [...sets, ...script.statements.map((sql) => `${sql};`), ""].join("\n"));
    const words = ["-n", "-M", "prepared", "-c", `${connections}`, "-j", "1", "-T", `${seconds}`, "-f", file];
    const log = ["-l", "--log-prefix", join(folder, "log")];
    const [program, ...rest] = pinned(["pgbench", ...words, ...log, url], core);
    const { stdout } = await run(program!, rest);
    const found = await latencies(folder);
    // Without the time that its connections took to open, as its last line has it.
    const perSecond = Number([...stdout.matchAll(/^tps = ([\d.]+)/gm)].at(-1)![1]);
    return { ...found, seconds: found.requests / perSecond, latencyStepMs: 0.001, failed: 0 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The third word of a line of the log is the time of a transaction, in microseconds. */
async function latencies(folder: string): Promise<Pick<Loaded, "requests" | "p50Ms" | "p99Ms">> {
  const files = (await readdir(folder)).filter((name) => name.startsWith("log"));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
  const us = texts.flatMap((text) => text.trim().split("\n")).map((line) => Number(line.split(" ", 3)[2]));
  us.sort((a, b) => a - b);
  const at = (share: number) => us[Math.floor(share * us.length)]! / 1_000;
  return { requests: us.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}
