// How fast events go from their commit to their effect, on each bus.
//
//   npm run bench:events [-- events]
//
// Emitter and subscriber have a database each, on one PostgreSQL; on NATS each has a bus of its own, as two processes
// have. First a backlog is worked off, which is the rate; then events are committed one by one, each when the one
// before had its effect, which is the latency. A rate is what one relay and one subscriber do on this machine.

import { silentLogger, systemClock, systemRandom } from "ashlar/base";
import { event, integer, object } from "ashlar/contract";
import { createDatabase } from "ashlar/data";
import {
  type Bus,
  createInbox,
  createNatsBus,
  createOutbox,
  createPostgresBus,
  createRelay,
  eventMigrations,
} from "ashlar/events";
import { createTestDatabase, startTestNats } from "ashlar/testing";

const events = Number(process.argv[2] ?? 5_000);
const aggregates = 500;
const singles = 300;
const base = { clock: systemClock, random: systemRandom, log: silentLogger };

const stepped = event("order.stepped", { aggregate: "ord", summary: "A step", data: object({ step: integer() }) });

async function measure(name: string, emitting: Bus, receiving: Bus): Promise<void> {
  const tables = { migrations: [eventMigrations] };
  const [here, there] = await Promise.all([createTestDatabase(tables), createTestDatabase(tables)]);
  const orders = createDatabase({ ...base, url: here.url });
  const catalog = createDatabase({ ...base, url: there.url });
  await catalog.query("create table effects (aggregate_id text, step integer)");

  let effects = 0;
  let wanted = { count: 0, reached: () => {} };
  const inbox = createInbox({
    ...base,
    service: "catalog",
    database: catalog,
    handlers: new Map([
      [
        stepped.type,
        async ({ aggregateId, data }, tx) => {
          const { step } = data as { step: number };
          await tx.query("insert into effects values ($1, $2)", [aggregateId, step]);
          tx.afterCommit(() => {
            if (++effects === wanted.count) wanted.reached();
          });
        },
      ],
    ]),
  });
  const whenEffects = (count: number) => new Promise<void>((reached) => (wanted = { count, reached }));
  const leave = receiving.subscribe("catalog", inbox.receive);
  const relay = createRelay({ ...base, service: "orders", database: orders, bus: emitting, subscribers: ["catalog"] });
  const outbox = createOutbox({ ...base, subscribersOf: () => ["catalog"], wake: () => relay.wake() });
  const emit = (step: number) =>
    orders.transaction((tx) =>
      outbox.emit(tx, stepped, { aggregateId: `ord_${step % aggregates}`, version: step, data: { step } }),
    );

  await Promise.all(
    Array.from({ length: 8 }, async (_, lane) => {
      for (let step = lane; step < events; step += 8) await emit(step);
    }),
  );
  const all = whenEffects(events);
  const startMs = performance.now();
  relay.start();
  await all;
  const seconds = (performance.now() - startMs) / 1_000;

  const latenciesMs: number[] = [];
  for (let step = 0; step < singles; step++) {
    const one = whenEffects(effects + 1);
    await emit(step);
    const committedMs = performance.now();
    await one;
    latenciesMs.push(performance.now() - committedMs);
  }
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number) => latenciesMs[Math.floor(share * latenciesMs.length)]!.toFixed(1);
  console.log(`${name}: ${Math.round(events / seconds)} events/s; one alone p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);

  leave();
  await Promise.all([relay.stop(), inbox.stop()]);
  await Promise.all([orders.close(), catalog.close()]);
}

const server = await startTestNats();
for (let turn = 1; turn <= 3; turn++) {
  const inOneProcess = createPostgresBus();
  await measure("postgres", inOneProcess, inOneProcess);
  const options = { ...base, url: server.url, system: `bench-${turn}`, secret: systemRandom.bytes(32) };
  const [emitting, receiving] = await Promise.all([createNatsBus(options), createNatsBus(options)]);
  await measure("nats", emitting, receiving);
  await Promise.all([emitting.close(), receiving.close()]);
}
await server.stop();
