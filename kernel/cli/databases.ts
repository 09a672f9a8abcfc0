// The databases of an app, for commands that work on them without starting the app.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type Logger, silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { attachEmbeddedPostgres, createDatabase, type Database, startEmbeddedPostgres } from "../data/index.ts";
import type { SystemSettings } from "../runtime/index.ts";
import { describeError } from "./errors.ts";
import type { FoundApp } from "./find-app.ts";
import type { End } from "./life.ts";

export interface OpenDatabases {
  /** By name, as the contracts call them. */
  readonly databases: ReadonlyMap<string, Database>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Whether a missing embedded cluster is made; a command that only looks has no use for an empty one. */
  create: boolean;
  log: Logger;
  onProgress?: (message: string) => void;
}

const clock = systemClock;

/**
 * Opens every database: the configured ones as they are; the embedded ones of an app that runs now by
 * joining it, else by starting the embedded server until `close`.
 */
export async function openDatabases(
  { app }: FoundApp,
  settings: SystemSettings,
  options: OpenOptions,
): Promise<OpenDatabases> {
  const { databaseUrls } = settings;
  await requireDatabases(databaseUrls);
  const names = [...new Set(app.definition.contracts.map(({ database }) => database))];
  const missing = names.filter((name) => databaseUrls[name] === undefined);
  const embedded = missing.length === 0 ? undefined : await openEmbedded(missing, settings, options);
  const databases = new Map(
    names.map((name) => {
      const url = databaseUrls[name] ?? embedded!.urlOf(name);
      return [name, createDatabase({ url, applicationName: "ashlar", clock, log: options.log })] as const;
    }),
  );
  return {
    databases,
    async close() {
      await Promise.all([...databases.values()].map((database) => database.close()));
      await embedded?.stop();
    },
  };
}

async function openEmbedded(
  names: readonly string[],
  { dataDirectory }: SystemSettings,
  { create, log, onProgress }: OpenOptions,
) {
  const running = await attachEmbeddedPostgres(dataDirectory);
  if (running !== undefined) return { ...running, stop: async () => {} };
  if (!create && !existsSync(join(dataDirectory, "postgres"))) {
    throw new Error(
      `There is nothing in ${dataDirectory} yet. Start the app once, or point ASHLAR_DATA at the folder it uses.`,
    );
  }
  const databases = names.map((name) => ({ name }));
  const progress = onProgress === undefined ? {} : { onProgress };
  return startEmbeddedPostgres({ directory: dataDirectory, databases, log, clock, random: systemRandom, ...progress });
}

const oldestVersion = 15;

/** Refuses, naming all of them, configured databases that cannot be reached or are too old. */
export async function requireDatabases(urls: SystemSettings["databaseUrls"]): Promise<void> {
  const troubles = await troublesWith(urls);
  if (troubles.length > 0) throw new Error(troubles.map(({ said }) => said).join("\n"));
}

const againMinMs = 250;
const againMaxMs = 5_000;
const saidEveryMs = 30_000;

export interface Waiting {
  end: End;
  clock: Clock;
  /** Told when it begins to wait, and rarely while it does. */
  say(message: string): void;
}

/**
 * Waits for configured databases that are not there yet, since nobody promises an order of starts. What time does not mend
 * (a wrong password, no such database, an old version) is refused at once. False: the end was asked for meanwhile.
 */
export async function awaitDatabases(urls: SystemSettings["databaseUrls"], waiting: Waiting): Promise<boolean> {
  const { end, clock: waitingClock, say } = waiting;
  const ended = new AbortController();
  void end.wait().then(() => ended.abort());
  let saidAtMs = Number.NEGATIVE_INFINITY;
  for (let againMs = againMinMs; ; againMs = Math.min(againMs * 2, againMaxMs)) {
    const troubles = await troublesWith(urls);
    if (troubles.length === 0) return !end.asked();
    const lasting = troubles.filter(({ passes }) => !passes);
    if (lasting.length > 0) throw new Error(lasting.map(({ said }) => said).join("\n"));
    if (waitingClock.nowMs() - saidAtMs >= saidEveryMs) {
      saidAtMs = waitingClock.nowMs();
      for (const { said } of troubles) say(`Waiting: ${said}`);
    }
    await waitingClock.sleep(againMs, ended.signal);
    if (end.asked()) return false;
  }
}

interface DatabaseTrouble {
  said: string;
  /** Whether waiting may help. */
  passes: boolean;
}

async function troublesWith(urls: SystemSettings["databaseUrls"]): Promise<DatabaseTrouble[]> {
  const found = await Promise.all(
    Object.entries(urls).map(async ([name, url]) => (url === undefined ? undefined : troubleWith(name, url))),
  );
  return found.filter((trouble) => trouble !== undefined);
}

async function troubleWith(name: string, url: string): Promise<DatabaseTrouble | undefined> {
  const database = createDatabase({ url, readers: 1, clock, log: silentLogger });
  const { host, pathname } = new URL(url);
  const described = `The database of "${name}" (${pathname.slice(1)} at ${host})`;
  try {
    const { rows } = await database.query<{ version: number }>(
      "select current_setting('server_version_num')::int / 10000 as version",
    );
    const { version } = rows[0]!;
    return version < oldestVersion
      ? { said: `${described} is PostgreSQL ${version}; ${oldestVersion} or newer is needed.`, passes: false }
      : undefined;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { said: `${described} cannot be used: ${describeError(cause)}`, passes: isNotThereYet(cause) };
  } finally {
    await database.close().catch(() => {});
  }
}

/** Nobody listens, or whoever does is starting or full. A name may come with the service that bears it. */
function isNotThereYet(cause: unknown): boolean {
  const { code = "", message = "" } = cause as { code?: string; message?: string };
  return (
    /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOST|ENET|ENOENT|EPIPE)|^(57P0[123]|53300)$/.test(code) ||
    /^Connection terminated|timeout expired/.test(message)
  );
}
