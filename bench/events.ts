// How fast events go from their commit to their effect, on each bus.
//
//   npm run bench:events [-- events]
//
// Emitter and subscriber have a database each, on one PostgreSQL, and run in this process. `npm run bench -- --only W7`
// measures the same with a core for them, beside the rest.

import { silentLogger, systemClock, systemRandom } from "ashlar/base";
import { type Bus, createNatsBus, createPostgresBus, eventMigrations } from "ashlar/events";
import { createTestDatabase, startTestNats } from "ashlar/testing";
import { openFlow } from "./events/flow.ts";
import { measureFlow } from "./events/measure.ts";

const backlog = Number(process.argv[2] ?? 5_000);
const base = { clock: systemClock, random: systemRandom, log: silentLogger };

async function measure(name: string, emitting: Bus, receiving: Bus, steadyPerSecond: number): Promise<void> {
  const tables = { migrations: [eventMigrations] };
  const [orders, catalog] = await Promise.all([createTestDatabase(tables), createTestDatabase(tables)]);
  const flow = await openFlow({ orders: orders.url, catalog: catalog.url }, emitting, receiving);
  const figures = await measureFlow(flow, { backlog, alone: 300, steadyPerSecond, steadySeconds: 3 });
  const { perSecond, alone, steady } = figures;
  const lags = ({ p50Ms, p99Ms }: typeof alone) => `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  console.log(
    `${name}: ${Math.round(perSecond)} events/s; one alone ${lags(alone)}; ${Math.round(steady.perSecond)}/s steadily ${lags(steady)}`,
  );
  await flow.close();
}

const server = await startTestNats();
for (let turn = 1; turn <= 3; turn++) {
  const inOneProcess = createPostgresBus();
  await measure("postgres", inOneProcess, inOneProcess, 2_500);
  const options = { ...base, url: server.url, system: `bench-${turn}`, secret: systemRandom.bytes(32) };
  const [emitting, receiving] = await Promise.all([createNatsBus(options), createNatsBus(options)]);
  await measure("nats", emitting, receiving, 1_000);
  await Promise.all([emitting.close(), receiving.close()]);
}
await server.stop();
