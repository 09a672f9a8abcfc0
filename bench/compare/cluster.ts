// One PostgreSQL for all targets, each with a copy of its databases.
//
// What was filled is kept in the data folder and never used itself: every run copies it, so that a run finds what the
// one before found, and no target works on the leavings of another. The server writes to disk at each commit, as one
// that keeps orders has to.

import { fileURLToPath } from "node:url";
import { silentLogger, systemClock, systemRandom } from "ashlar/base";
import { createDatabase, type Database, startEmbeddedPostgres } from "ashlar/data";
import type { Size } from "./data.ts";
import { type DatabaseName, databases, fill } from "./fill.ts";
import { pin } from "./processes.ts";

/** Raised with whatever `fill` makes. */
const fillVersion = 1;

export interface Cluster {
  pid: number;
  version: string;
  /** The url of a new copy of a filled database. */
  copy(database: DatabaseName, as: string): Promise<string>;
  /** The url of a new database with nothing in it. */
  create(as: string): Promise<string>;
  /** Drops the copies and stops the server. */
  stop(): Promise<void>;
}

/** The folder in which the databases of a size are kept. */
export function clusterFolder(name: string): string {
  return fileURLToPath(new URL(`../../.ashlar/bench-${name}/`, import.meta.url));
}

/** Databases that are not `wanted` are not filled. */
export async function openCluster(
  directory: string,
  size: Size,
  core: number,
  wanted: readonly DatabaseName[] = databases,
): Promise<Cluster> {
  const server = await startEmbeddedPostgres({
    directory,
    databases: databases.map((name) => ({ name })),
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
    onProgress: console.error,
    maxConnections: 300,
  });
  // It would outlive a run that is broken off. At exit there is no time for more than to ask it.
  const end = () => void process.kill(server.pid, "SIGINT");
  process.once("exit", end);
  const admin = createDatabase({
    url: server.adminUrl,
    log: silentLogger,
    clock: systemClock,
    statementTimeoutMs: 0,
    readers: 1,
  });
  const key = `filled ${fillVersion} ${JSON.stringify(size)}`;
  for (const name of wanted) {
    if ((await commentOf(admin, name)) === key) continue;
    console.error(`Filling ${name} (once)`);
    await recreate(admin, name, name, "template0");
    await fill(name, server.urlOf(name), size);
    await admin.query(`comment on database "${name}" is '${key}'`);
  }
  await pin(server.pid, core);
  const copies = new Set<string>();
  const { rows } = await admin.query<{ version: string }>("select current_setting('server_version') as version");
  async function make(as: string, owner: DatabaseName, template: string): Promise<string> {
    copies.add(as);
    await recreate(admin, as, owner, template);
    const url = new URL(server.urlOf(owner));
    url.pathname = `/${as}`;
    return url.href;
  }
  return {
    pid: server.pid,
    version: rows[0]!.version,
    copy: (database, as) => make(as, database, database),
    create: (as) => make(as, databases[0], "template0"),
    async stop() {
      for (const name of copies) await admin.query(`drop database if exists "${name}" with (force)`);
      await admin.close();
      process.removeListener("exit", end);
      await server.stop();
    },
  };
}

async function commentOf(admin: Database, name: string): Promise<string | undefined> {
  const { rows } = await admin.query<{ comment: string }>(
    "select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1",
    [name],
  );
  return rows[0]?.comment;
}

async function recreate(admin: Database, name: string, owner: string, template: string): Promise<void> {
  await admin.query(`drop database if exists "${name}" with (force)`);
  await admin.query(`create database "${name}" owner "${owner}" template "${template}" strategy file_copy`);
  await admin.query(`revoke connect, temporary on database "${name}" from public`);
}
