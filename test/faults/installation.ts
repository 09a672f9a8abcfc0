// The store as an installation of its own: four processes, PostgreSQL that keeps what was committed, NATS and Redis.
// Each can be killed, and comes back at the address it had.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase, type Database } from "ashlar/data";
import { silentLogger, systemClock } from "ashlar/base";
import { startTestNats, startTestRedis } from "ashlar/testing";
import { temporaryPrefix } from "../../kernel/testing/leftovers.ts";
import { startThrowAwayPostgres } from "../../kernel/testing/throw-away-postgres.ts";
import { contracts } from "../../store/services.ts";
import { topologies } from "../../store/topology.ts";
import { setTimeout as pause } from "node:timers/promises";
import { type Process, quietPorts, startProcess } from "./process.ts";

export interface Victim {
  readonly name: string;
  kill(): Promise<void>;
  /** Resolves when it is there again, whether or not the others have noticed. */
  restart(): Promise<void>;
}

export interface Installation {
  /** Where clients go. */
  readonly url: string;
  readonly victims: readonly Victim[];
  readonly nats: Awaited<ReturnType<typeof startTestNats>>;
  /** By service. */
  readonly databases: ReadonlyMap<string, Database>;
  /** Lines of the processes' logs about what nobody expected. */
  errors(): readonly string[];
  /** Resolves when `/health` of the gateway says that everything is up. */
  healthy(): Promise<void>;
  /** Ends everything, in order; says how the processes ended. */
  stop(): Promise<readonly (number | null)[]>;
}

export async function openInstallation(): Promise<Installation> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    return await open(undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(undo: (() => Promise<unknown>)[], stop: () => Promise<void>): Promise<Installation> {
  const postgres = await startThrowAwayPostgres({ durable: true, databases: contracts.map((one) => one.database) });
  undo.push(() => postgres.stop());
  const nats = await startTestNats();
  undo.push(() => nats.stop());
  const redis = await startTestRedis();
  undo.push(() => redis.stop());
  const directory = await mkdtemp(join(tmpdir(), `${temporaryPrefix}${process.pid}-`));
  undo.push(() => rm(directory, { recursive: true, force: true }));

  const names = Object.keys(topologies.split);
  const ports = await quietPorts(names.length);
  const urlOf = (name: string) => `http://127.0.0.1:${ports[names.indexOf(name)]}`;
  const variable = (name: string) => name.toUpperCase();
  const environment = {
    ASHLAR_DATA: directory,
    NATS_URL: nats.url,
    REDIS_URL: redis.url,
    LOG_LEVEL: "warn",
    // Seven starts of the same code: a process that was killed is back in half the time.
    NODE_COMPILE_CACHE: join(directory, "compiled"),
    LIMIT_DEFAULT: "off",
    LIMIT_ANONYMOUS: "off",
    LIMIT_AUTH: "off",
    ...Object.fromEntries(
      contracts.map((one) => [`${variable(one.database)}_DATABASE_URL`, postgres.urlOf(one.database)]),
    ),
    ...Object.fromEntries(contracts.map(({ name }) => [`${variable(name)}_URL`, urlOf(name)])),
  };
  const processes = await Promise.all(
    names.map((name, index) => startProcess(name, { ...environment, PORT: String(ports[index]) })),
  );
  const endings: (number | null)[] = [];
  undo.push(async () => endings.push(...(await Promise.all(processes.map((one) => one.stop())))));

  const databases = new Map(
    contracts.map((one) => [
      one.name,
      createDatabase({ url: postgres.urlOf(one.database), clock: systemClock, log: silentLogger }),
    ]),
  );
  undo.push(() => Promise.all([...databases.values()].map((database) => database.close())));
  const url = urlOf("gateway");
  return {
    url,
    nats,
    databases,
    victims: [
      ...processes.map(victimOf),
      // It is watched by the embedded server's own keeper, which starts it again.
      { name: "PostgreSQL", kill: async () => postgres.kill(), restart: () => answering(databases.get("orders")!) },
      { name: "NATS", kill: nats.kill, restart: () => nats.restart() },
      { name: "Redis", kill: redis.kill, restart: redis.restart },
    ],
    errors: () => processes.flatMap((one) => one.errors()),
    healthy: () => healthy(url),
    async stop() {
      await stop();
      return endings;
    },
  };
}

function victimOf({ name, kill, restart }: Process): Victim {
  return { name, kill, restart };
}

async function answering(database: Database): Promise<void> {
  while (!(await database.ping().then(Boolean, () => false))) await pause(20);
}

async function healthy(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/health`).then(
      (one) => one.json(),
      () => undefined,
    );
    if ((answer as { status?: string } | undefined)?.status === "healthy") return;
    await pause(20);
  }
}
