// What a cache has to do, whatever it keeps its values in.

import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createManualClock, type ManualClock, silentLogger, systemClock } from "../base/index.ts";
import {
  type Cache,
  cacheMigrations,
  type CacheRule,
  createCache,
  createEntries,
  type SharedStore,
} from "../cache/index.ts";
import { createDatabase, type Database } from "../data/index.ts";
import { createTestDatabase } from "./postgres.ts";

export interface CacheSuiteOptions {
  /** What several processes share; none is the memory of each. Made once, before the tests. */
  openStore(): Promise<SharedStore | undefined>;
  /** Lets time pass in the store, whose clock is its own. */
  passTime?(ms: number): Promise<void>;
}

interface Process {
  cache: Cache;
  clock: ManualClock;
}

/** Declares the tests of a cache that keeps its values in memory, or in memory and a store behind it. */
export function cacheSuite(name: string, { openStore, passTime }: CacheSuiteOptions): void {
  describe(`the ${name} cache`, () => {
    let database: Database;
    let shared: SharedStore | undefined;
    let keys = 0;

    before(async () => {
      const { url } = await createTestDatabase({ migrations: [cacheMigrations] });
      database = createDatabase({ url, log: silentLogger, clock: systemClock });
      await database.query("create table notes (id int primary key, text text not null)");
      shared = await openStore();
    });
    after(() => database.close());

    const startProcess = (startMs?: number): Process => {
      const clock = createManualClock(startMs);
      const entries = createEntries(clock, 1_000_000);
      return { clock, cache: createCache({ name: "notes", db: database, entries, shared, clock }) };
    };
    /** Processes that know the present, and a row of their own. */
    const open = async () => {
      const id = ++keys;
      await database.query("insert into notes values ($1, 'one')", [id]);
      const rule: CacheRule = { tags: [`note ${id}`], ttlMs: 60_000 };
      const here = startProcess();
      const there = startProcess(Date.UTC(2026, 0, 1, 0, 5));
      const load = async () => (await database.query("select text from notes where id = $1", [id])).rows[0]?.text;
      const read = ({ cache }: Process, more: Partial<CacheRule> = {}, how: () => Promise<unknown> = load) =>
        cache.cached(`note ${id}`, { ...rule, ...more }, how);
      const write = (at: Process, text: string, fails = false) =>
        database.transaction(async (tx) => {
          await tx.query("update notes set text = $2 where id = $1", [id, text]);
          at.cache.invalidate(tx, rule.tags);
          if (fails) throw new Error("rolled back");
        });
      /** What nobody says: what is still seen afterwards was kept. */
      const byHand = (text: string) => database.query("update notes set text = $2 where id = $1", [id, text]);
      const pass = async (ms: number) => {
        await passTime?.(ms);
        for (const { clock } of [here, there]) await clock.advance(ms);
      };
      return { here, there, read, load, write, byHand, pass };
    };

    test("keeps what was read, as JSON, and gives each who asks a copy", async () => {
      const { here, read } = await open();
      for (const value of [{ deep: [1, "ä\n", null] }, null, "", 0, "x".repeat(300_000)]) {
        const more = { tags: [`value ${JSON.stringify(value).length}`] };
        const cached = () => here.cache.cached(more.tags[0]!, { ...more, ttlMs: 60_000 }, async () => value);
        deepEqual(await cached(), value);
        deepEqual(await cached(), value);
      }
      const first = (await read(here, {}, async () => ({ text: "one" }))) as { text: string };
      first.text = "mine";
      deepEqual(await read(here), { text: "one" });
    });

    test("a thousand who miss one key at once share one load, and so do processes that share a store", async () => {
      const { here, there, read, pass } = await open();
      let loads = 0;
      const loading = Promise.withResolvers<string>();
      const load = () => {
        loads++;
        return loading.promise;
      };
      const asked = Array.from({ length: 1_000 }, (_, at) => read(at % 2 === 0 ? here : there, {}, load));
      await until(() => loads === (shared === undefined ? 2 : 1));
      loading.resolve("one");
      const answered = Promise.all(asked);
      // Who waits for the other process looks again on a clock that somebody has to move.
      await untilAsync(async () => {
        await pass(1);
        return Promise.race([answered.then(() => true), systemClock.sleep(0).then(() => false)]);
      });
      equal(new Set(await answered).size, 1);
      equal(loads, shared === undefined ? 2 : 1);
    });

    test("a commit is seen at once where it was made, and elsewhere within a second, clocks five minutes apart", async () => {
      const { here, there, read, write, pass } = await open();
      deepEqual([await read(here), await read(there)], ["one", "one"]);
      await write(here, "two");
      equal(await read(here), "two");
      await pass(1_000);
      deepEqual([await read(there), await read(here)], ["two", "two"]);
    });

    test("a rollback ends nothing, and nothing else ends what is kept before its time", async () => {
      const { here, there, read, write, byHand, pass } = await open();
      deepEqual([await read(here), await read(there)], ["one", "one"]);
      await write(here, "never", true).catch(() => {});
      await byHand("two");
      await pass(55_000);
      deepEqual([await read(here), await read(there)], ["one", "one"]);
    });

    test("a load that began before a commit is kept nowhere", async () => {
      const { here, there, read, load, write, pass } = await open();
      const reading = Promise.withResolvers<void>();
      const read1 = read(here, {}, async () => {
        const text = await load();
        reading.resolve();
        await written;
        return text;
      });
      const written = reading.promise.then(() => write(there, "two"));
      equal(await read1, "one");
      equal(await read(there), "two");
      await pass(1_000);
      equal(await read(here), "two");
    });

    test("after its time a value is loaded again; for a while it is served meanwhile, if the rule says so", async () => {
      const { here, read, byHand, pass } = await open();
      await read(here);
      await byHand("two");
      await pass(60_000);
      equal(await read(here), "two");
      const stale = { ttlMs: 10_000, staleMs: 10_000 };
      await byHand("three");
      await pass(15_000);
      equal(await read(here, stale), "two");
      await untilAsync(async () => (await read(here, stale)) === "three");
      await byHand("four");
      await pass(20_000);
      equal(await read(here, stale), "four");
    });

    test("that there is nothing is kept if the rule says so", async () => {
      const { here, read, pass } = await open();
      const [nothing, something] = [async () => undefined, async () => "there"];
      equal(await read(here, {}, nothing), undefined);
      equal(await read(here, { negativeMs: 10_000 }, nothing), undefined);
      equal(await read(here, { negativeMs: 10_000 }, something), undefined);
      await pass(10_000);
      equal(await read(here, { negativeMs: 10_000 }, something), "there");
    });

    test("a load that fails fails for who waits for it, and the next may try at once", async () => {
      const { here, there, read } = await open();
      const failing = () => Promise.reject(new Error("down"));
      equal(await read(here, {}, failing).catch((error: Error) => error.message), "down");
      equal(await read(here), "one");
      equal(await read(there, {}, async () => "two"), shared === undefined ? "two" : "one");
    });
  });
}

async function until(isSo: () => boolean): Promise<void> {
  await untilAsync(async () => isSo());
}

const turnsMax = 10_000;

async function untilAsync(isSo: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; !(await isSo()); turn++) {
    ok(turn < turnsMax, "it never happens");
    await systemClock.sleep(0);
  }
}
