// Users to try the store with. Never in production: their password is printed at start.

import type { Passwords } from "ashlar/auth";
import { encodeId } from "ashlar/base";
import { errors, Failure } from "ashlar/contract";
import { type Context, createRow } from "ashlar/service";
import { roleNames } from "../../api.ts";
import { user } from "./contract.ts";

interface DemoUser {
  email: string;
  name: string;
  roles?: (typeof roleNames)[number][];
}

const demoUsers: readonly DemoUser[] = [
  { email: "admin@example.com", name: "Ada Adler", roles: ["admin"] },
  { email: "member@example.com", name: "Milo Member" },
  { email: "ines.okafor@example.com", name: "Inès Okafor" },
  { email: "jonas.lindqvist@example.com", name: "Jonas Lindqvist" },
  { email: "mei.tanaka@example.com", name: "Mei Tanaka" },
  { email: "rafael.souza@example.com", name: "Rafael Souza" },
  { email: "sofia.kowalska@example.com", name: "Sofia Kowalska" },
  { email: "tariq.haddad@example.com", name: "Tariq Haddad" },
];

/**
 * Registers the demo users that were never there, and answers the ids of those that are, by email. Safe to
 * repeat; one that was deleted stays deleted. The password need not be a strong one: everybody knows it.
 */
export async function seedUsers(
  ctx: Context,
  { passwords, password }: { passwords: Passwords; password: string },
): Promise<Map<string, string>> {
  const known = await findUsers(ctx);
  for (const demoUser of demoUsers) {
    if (!known.has(demoUser.email)) await seedUser(ctx, demoUser, await passwords.hash(password));
  }
  const living = [...(await findUsers(ctx))].filter(([, { deleted }]) => !deleted);
  return new Map(living.map(([email, { id }]) => [email, id]));
}

/** The living demo users whose password is this one still, by email. */
export async function usersWithPassword(
  ctx: Context,
  { passwords, password }: { passwords: Passwords; password: string },
): Promise<string[]> {
  const { rows } = await ctx.db.query<{ email: string; password_hash: string }>(
    `select email, password_hash from users where lower(email collate "C") = any($1) and deleted_at is null`,
    [demoUsers.map(({ email }) => email)],
  );
  const found: string[] = [];
  for (const { email, password_hash: hash } of rows) if ((await passwords.verify(hash, password)).ok) found.push(email);
  return found.toSorted();
}

async function seedUser(ctx: Context, demoUser: DemoUser, passwordHash: string): Promise<void> {
  try {
    await createRow(ctx, user, { ...demoUser, passwordHash, emailVerifiedAt: ctx.now() });
  } catch (error) {
    // Another process that starts at the same time was first.
    if (!(error instanceof Failure && error.code === errors.duplicate.code)) throw error;
  }
}

async function findUsers(ctx: Context): Promise<Map<string, { id: string; deleted: boolean }>> {
  const { rows } = await ctx.db.query<{ id: string; email: string; deleted: boolean }>(
    `select id, lower(email collate "C") as email, deleted_at is not null as deleted from users
     where lower(email collate "C") = any($1) order by deleted_at nulls last`,
    [demoUsers.map(({ email }) => email)],
  );
  return new Map(rows.toReversed().map(({ id, email, deleted }) => [email, { id: encodeId("usr", id), deleted }]));
}
