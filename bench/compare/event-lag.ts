// W7: events from their commit to their effect, measured by a process on the core of servers (bench/events).

import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "ashlar/base";
import { createDatabase, migrate } from "ashlar/data";
import { eventMigrations } from "ashlar/events";
import type { Figures } from "../events/measure.ts";
import type { Task } from "../events/main.ts";
import type { Arguments } from "./arguments.ts";
import type { Setting } from "./measure.ts";
import { exists, freePorts, start, type Started } from "./processes.ts";
import { root, type Target } from "./targets.ts";

export interface EventRound extends Figures {
  serverUs: number;
  databaseUs: number;
}

export interface EventsMeasured {
  target: string;
  rounds: EventRound[];
  refused?: string;
}

export const events = { name: "W7", about: "events from their commit to their effect" };

/** Half of what each has to reach, since that is where the lag is asked for. */
const steadyPerSecond: Readonly<Record<string, number>> = { single: 2_500, split: 1_000 };
const backlog = 10_000;
const alone = 300;

export async function measureEvents(all: readonly Target[], options: Arguments, setting: Setting) {
  const hasNats = exists("nats-server");
  const measured: EventsMeasured[] = all
    .filter(({ name }) => hasNats || name !== "split")
    .map(({ name }) => ({ target: name, rounds: [] }));
  if (!hasNats) console.error("split is left out of W7: nats-server is not installed");
  for (let round = 0; round < options.rounds; round++)
    for (const one of measured) {
      if (one.refused !== undefined) continue;
      try {
        const made = await measureOnce(one.target, options.seconds, setting);
        console.error(`  W7 ${one.target}: ${made.perSecond.toFixed(0)} events/s`);
        one.rounds.push(made);
      } catch (error) {
        one.refused = error instanceof Error ? error.message : String(error);
        console.error(`  W7 ${one.target} IS NOT MEASURED: ${one.refused}`);
      }
    }
  return measured;
}

async function measureOnce(target: string, steadySeconds: number, { cluster, serverCore, loadCore }: Setting) {
  const [orders, catalog] = [await cluster.create("events_orders"), await cluster.create("events_catalog")];
  for (const url of [orders, catalog]) await createTables(url);
  const nats = target === "split" ? await startNats(loadCore) : undefined;
  try {
    const task: Task = {
      orders,
      catalog,
      ...(nats !== undefined && { nats: nats.url }),
      databasePid: cluster.pid,
      backlog,
      alone,
      steadyPerSecond: steadyPerSecond[target]!,
      steadySeconds,
    };
    const program = [process.execPath, "bench/events/main.ts", JSON.stringify(task)];
    const started = start(program, { core: serverCore, directory: root });
    await started.closed;
    const last = started.output().trim().split("\n").at(-1)!;
    if (!last.startsWith("{")) throw new Error(`It was not measured:\n${started.output()}`);
    return JSON.parse(last) as EventRound;
  } finally {
    await nats?.stop();
  }
}

async function createTables(url: string): Promise<void> {
  const database = createDatabase({ url, log: silentLogger, clock: systemClock, readers: 1 });
  await migrate(database, [eventMigrations], { log: silentLogger });
  await database.close();
}

/** NATS with its streams on the disk, on the core that PostgreSQL has. */
async function startNats(core: number): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "ashlar-bench-"));
  const port = await freePorts(1);
  const words = ["--addr", "127.0.0.1", "--port", String(port), "--jetstream", "--store_dir", folder];
  const server = start(["nats-server", ...words], { core });
  await untilListening(server, port);
  return {
    url: `nats://127.0.0.1:${port}`,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilListening(server: Started, port: number): Promise<void> {
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return;
    if (!server.isRunning()) throw new Error(`nats-server ended at its start:\n${server.output()}`);
    await systemClock.sleep(20);
  }
}
