// Who may enter which database of an embedded cluster.
//
// One database and one role of the same name per service. A role owns its database and nothing
// else, and no role but the owner (and the administrator) can connect to it: what one service
// keeps, another cannot even reach by mistake.

import type { Client } from "pg";
import type { Random } from "../base/index.ts";
import { newPassword, writeSecrets, type ClusterPaths, type Secrets } from "./embedded-files.ts";
import { adminRole } from "./embedded-server.ts";

const namePattern = /^[a-z][a-z0-9_-]{0,62}$/;
const reserved = new Set([adminRole, "postgres", "template0", "template1", "public", "none"]);

export function assertDatabaseName(name: string): void {
  if (!namePattern.test(name) || name.startsWith("pg_") || reserved.has(name)) {
    throw new Error(
      `"${name}" cannot be the name of a database. Use lower-case letters, digits, _ and -, beginning with a letter; not ${[...reserved].join(", ")}.`,
    );
  }
}

/** Makes what is missing of databases, roles and passwords. Safe to repeat. */
export async function provision(
  admin: Client,
  paths: ClusterPaths,
  secrets: Secrets,
  names: readonly string[],
  random: Random,
): Promise<void> {
  const fresh = names.filter((name) => secrets.passwords[name] === undefined);
  for (const name of fresh) secrets.passwords[name] = newPassword(random);
  // On disk before the role has it, so that a crash in between cannot lock us out.
  await writeSecrets(paths, secrets);
  await admin.query("revoke connect, temporary on database postgres, template1 from public");
  for (const name of names) await provisionDatabase(admin, name, secrets.passwords[name]!, fresh.includes(name));
}

async function provisionDatabase(admin: Client, name: string, password: string, passwordIsNew: boolean): Promise<void> {
  const identifier = admin.escapeIdentifier(name);
  const credentials = `login password ${admin.escapeLiteral(password)}`;
  const roleExists = (await admin.query("select from pg_roles where rolname = $1", [name])).rowCount === 1;
  if (!roleExists) await admin.query(`create role ${identifier} ${credentials}`);
  else if (passwordIsNew) await admin.query(`alter role ${identifier} ${credentials}`);

  const databaseExists = (await admin.query("select from pg_database where datname = $1", [name])).rowCount === 1;
  if (!databaseExists) await admin.query(`create database ${identifier} owner ${identifier}`);
  // Every time: a crash between create and revoke must not leave it open to the others.
  await admin.query(`revoke connect, temporary on database ${identifier} from public`);
}

export interface ClusterUrls {
  /** The connection URL of a database, as its own role. */
  urlOf(name: string): string;
  adminUrl: string;
}

export function urlsOf(port: number, secrets: Secrets): ClusterUrls {
  const url = (role: string, password: string, database: string) =>
    `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
  return {
    adminUrl: url(adminRole, secrets.adminPassword, "postgres"),
    urlOf(name) {
      const password = secrets.passwords[name];
      if (password === undefined)
        throw new Error(`The embedded PostgreSQL server has no database "${name}". Name it in "databases".`);
      return url(name, password, name);
    },
  };
}
