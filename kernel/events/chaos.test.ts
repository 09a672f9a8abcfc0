// Everything that can go wrong, by chance: handlers that refuse, answers that get lost, relays that take
// turns and overlap, transactions that commit in another order than they began. What must hold: every
// event has its effect once, and those of an aggregate in their order.

import { deepEqual, equal } from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { createTestDatabase } from "../testing/postgres.ts";
import { needsNats } from "../testing/index.ts";
import { type Bus, createPostgresBus } from "./bus.ts";
import { createWorld, openDatabase, stepped, tables, wrapBus } from "./fixture.ts";
import { openBus, startNatsForFile } from "./nats/fixture.ts";

const database = openDatabase(await createTestDatabase(tables));

const nats = await startNatsForFile();

for (const [name, options, numRuns, createBus] of [
  ["postgres", {}, 15, async () => createPostgresBus()],
  ["nats", needsNats, 8, (t: TestContext) => openBus(t, nats)],
] as const)
  test(
    `whatever fails around the ${name} bus, every event has its effect once and in the order of its aggregate`,
    options,
    (t) => everythingGoesWrong(numRuns, () => createBus(t)),
  );

async function everythingGoesWrong(numRuns: number, createBus: () => Promise<Bus>): Promise<void> {
  const plan = fc.record({
    /** For each aggregate, how many events. */
    sizes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
    /** True where a step of the run goes wrong; after them everything works. */
    troubles: fc.array(fc.boolean(), { minLength: 10, maxLength: 60 }),
    batchSize: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ sizes, troubles, batchSize }) => {
      const left = [...troubles];
      const goesWrong = () => left.pop() ?? false;
      const bus = await createBus();
      const unreliable = wrapBus(bus, async (deliver) => {
        if (goesWrong()) throw new Error("lost on the way there");
        const outcomes = await deliver();
        if (goesWrong()) throw new Error("lost on the way back");
        return outcomes.filter(() => !goesWrong());
      });
      const world = await createWorld(database, { bus: unreliable });
      const inbox = world.createInbox({
        limits: { triesMax: 1_000 },
        handlers: new Map([
          [
            stepped.type,
            async (event, tx, signal) => {
              await world.listener.handler(event, tx, signal);
              if (goesWrong()) throw new Error("refused");
            },
          ],
        ]),
      });
      bus.subscribe("catalog", inbox.receive);
      const relays = [world.createRelay({ limits: { batchSize } }), world.createRelay({ limits: { batchSize } })];

      // One writer per aggregate, as the lock on its row would have it; all of them at once.
      const writers = sizes.map(async (size, index) => {
        for (let step = 1; step <= size; step++)
          await world.database.transaction((tx) => world.emit(tx, `ord_${index}`, step));
      });
      const total = sizes.reduce((sum, size) => sum + size, 0);
      for (let round = 0; round < 300; round++) {
        if (goesWrong()) await world.database.query("delete from ashlar.leases");
        await Promise.all(relays.map((relay) => relay.runOnce()));
        await world.clock.advance(61_000);
        if ((await world.count("outbox")) === total && (await world.count("pending")) === 0) break;
      }
      await Promise.all(writers);

      equal(await world.count("pending"), 0);
      const effects = await world.effects();
      equal(effects.length, total);
      for (const [index, size] of sizes.entries()) {
        deepEqual(
          effects.filter((effect) => effect.startsWith(`ord_${index}/`)),
          Array.from({ length: size }, (_, step) => `ord_${index}/${step + 1}`),
        );
      }
    }),
    { numRuns },
  );
}
