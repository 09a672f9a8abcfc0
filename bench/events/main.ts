// One measurement of W7, as a process that the bench gives a core: reads its task as JSON from its only argument, writes
// what came of it as JSON.

import { silentLogger, systemClock, systemRandom } from "ashlar/base";
import { createNatsBus, createPostgresBus } from "ashlar/events";
import { usageOf } from "../compare/processes.ts";
import { openFlow } from "./flow.ts";
import { measureFlow, type Plan } from "./measure.ts";

export interface Task extends Plan {
  orders: string;
  catalog: string;
  /** Of NATS; without it both sides share one process, and its bus. */
  nats?: string;
  databasePid: number;
}

const task = JSON.parse(process.argv[2]!) as Task;
const { busses, close } = await openBusses(task.nats);
const flow = await openFlow(task, ...busses);
const usage = () => ({ server: usageOf(process.pid).cpuMs, database: usageOf(task.databasePid).cpuMs });
let before = usage();
let after = before;
const figures = await measureFlow(flow, task, { before: () => (before = usage()), after: () => (after = usage()) });
const eachUs = (name: keyof typeof before) => ((after[name] - before[name]) * 1_000) / task.backlog;
console.log(JSON.stringify({ ...figures, serverUs: eachUs("server"), databaseUs: eachUs("database") }));
await flow.close();
await close();

async function openBusses(url: string | undefined) {
  if (url === undefined) {
    const bus = createPostgresBus();
    return { busses: [bus, bus] as const, close: async () => {} };
  }
  const base = { clock: systemClock, random: systemRandom, log: silentLogger };
  const options = { ...base, url, system: `bench-${process.pid}`, secret: systemRandom.bytes(32) };
  const [emitting, receiving] = await Promise.all([createNatsBus(options), createNatsBus(options)]);
  return {
    busses: [emitting, receiving] as const,
    close: () => Promise.all([emitting.close(), receiving.close()]).then(() => {}),
  };
}
