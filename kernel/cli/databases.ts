// The databases of an app, for commands that work on them without starting the app.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Logger, silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { attachEmbeddedPostgres, createDatabase, type Database, startEmbeddedPostgres } from "../data/index.ts";
import type { SystemSettings } from "../runtime/index.ts";
import { describeError } from "./errors.ts";
import type { FoundApp } from "./find-app.ts";

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
  const found = await Promise.all(
    Object.entries(urls).map(async ([name, url]) => (url === undefined ? undefined : troubleWith(name, url))),
  );
  const troubles = found.filter((trouble) => trouble !== undefined);
  if (troubles.length > 0) throw new Error(troubles.join("\n"));
}

async function troubleWith(name: string, url: string): Promise<string | undefined> {
  const database = createDatabase({ url, readers: 1, clock, log: silentLogger });
  const { host, pathname } = new URL(url);
  const described = `The database of "${name}" (${pathname.slice(1)} at ${host})`;
  try {
    const { rows } = await database.query<{ version: number }>(
      "select current_setting('server_version_num')::int / 10000 as version",
    );
    const { version } = rows[0]!;
    return version < oldestVersion
      ? `${described} is PostgreSQL ${version}; ${oldestVersion} or newer is needed.`
      : undefined;
  } catch (error) {
    return `${described} cannot be used: ${describeError(error instanceof Error ? (error.cause ?? error) : error)}`;
  } finally {
    await database.close().catch(() => {});
  }
}
