// Everything that can go wrong, by chance: handlers that refuse, answers that get lost, relays that take
// turns and overlap, transactions that commit in another order than they began. What must hold: every
// event has its effect once, and those of an aggregate in their order.

import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTestDatabase } from "../testing/postgres.ts";
import { createPostgresBus } from "./bus.ts";
import { createWorld, openDatabase, stepped, tables, wrapBus } from "./fixture.ts";

const database = openDatabase(await createTestDatabase(tables));

test("whatever fails, every event has its effect once and in the order of its aggregate", async () => {
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
      const bus = createPostgresBus();
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
    { numRuns: 15 },
  );
});
