// Signing in and out.

import { credentialsMissing } from "ashlar/auth";
import { decodeId, encodeId } from "ashlar/base";
import { Failure, type In, type Out } from "ashlar/contract";
import type { Queryable, Tx } from "ashlar/data";
import type { Context } from "ashlar/service";
import { badCredentials, type identity, user } from "./contract.ts";
import type { Parts } from "./parts.ts";
import { grant } from "./refresh.ts";
import { endSession, openSession } from "./sessions.ts";
import { endTry, takeBack, type Try, tryPassword } from "./tries.ts";

type Login = typeof identity.operations.login;
type Logout = typeof identity.operations.logout;

interface Account {
  userId: string;
  passwordHash: string;
}

/**
 * Opens a session for who knows the password. An email nobody has costs the same work and gets the
 * same refusal, after the same time, as a wrong password. A hash made with other parameters than today's is
 * made anew. 429 when too many tries have failed, whether or not there is such an account.
 */
export async function login(ctx: Context, input: In<Login>, parts: Parts): Promise<Out<Login>> {
  const startedAtMs = ctx.clock.nowMs();
  const { email, password } = input.body;
  const tried = await tryPassword(ctx, { email, password, find: () => findAccount(ctx.db, email) }, parts);
  const { account, attempt } = tried;
  if (!tried.ok || account === undefined) {
    await holdBack(ctx, startedAtMs, parts);
    throw refused(ctx, account);
  }
  let tokens: Out<Login> | undefined;
  try {
    const newHash = tried.needsRehash ? await parts.passwords.hash(password) : account.passwordHash;
    tokens = await signIn(ctx, account, { newHash, attempt }, parts);
  } finally {
    if (tokens === undefined) await takeBack(ctx, attempt);
  }
  // The password is another since it was verified (changed, made anew by a login at the same time) or
  // the user is gone: a session opened now might outlive the change that should have ended it.
  return tokens ?? login(ctx, input, parts);
}

/**
 * Waits until the next step of time. The work of refusals is as equal as it can be made, yet a row that is
 * found and a hash of another shape differ by microseconds, which many samples would show. Of what leaves on a
 * grid they show nothing but on which side of a step the work ended.
 */
async function holdBack({ clock }: Context, startedAtMs: number, { refusalStepMs }: Parts): Promise<void> {
  if (refusalStepMs === 0) return;
  await clock.sleep(refusalStepMs - ((clock.nowMs() - startedAtMs) % refusalStepMs));
}

/** Undefined when the account is not any more what was verified. */
async function signIn(
  ctx: Context,
  account: Account,
  { newHash, attempt }: { newHash: string; attempt: Try },
  parts: Parts,
): Promise<Out<Login> | undefined> {
  const opened = await ctx.transaction(async (tx) => {
    const asOfMs = ctx.clock.nowMs();
    const row = await ctx.table(user).get(tx, account.userId, { lock: true });
    if (row?.passwordHash !== account.passwordHash) return undefined;
    if (newHash !== account.passwordHash) await storeHash(tx, { ...account, passwordHash: newHash });
    const { sessionId, refreshToken } = await openSession(ctx, tx, account.userId, parts);
    await endTry(ctx, tx, attempt);
    return { subject: { userId: row.id, email: row.email, roles: row.roles, sessionId, asOfMs }, refreshToken };
  });
  if (opened === undefined) return undefined;
  ctx.security("signed_in", { userId: account.userId, sessionId: opened.subject.sessionId });
  return grant(opened.subject, opened.refreshToken, parts);
}

/** Ends the session of a refresh token, whichever of its tokens it is. Answers the same when there is nothing to end. */
export async function logout(ctx: Context, { body }: In<Logout>, parts: Parts): Promise<void> {
  const claims = await parts.tokens.verifyRefresh(body.refreshToken).catch(unlessRefused);
  if (claims === undefined) return;
  const { rows } = await ctx.db.query<{ session_id: string }>(
    { name: "identity.session_of_token", text: "select session_id from refresh_tokens where id = $1" },
    [decodeId("tok", claims.tokenId)!],
  );
  const sessionId = rows[0] && encodeId("ses", rows[0].session_id);
  if (sessionId === undefined) return;
  await ctx.transaction((tx) => endSession(ctx, tx, sessionId, parts));
  ctx.security("signed_out", { userId: claims.userId, sessionId });
}

/** The living user with this email, without case; by the unique index on the same expression. */
async function findAccount(db: Queryable, email: string): Promise<Account | undefined> {
  const { rows } = await db.query<{ id: string; password_hash: string }>(
    {
      name: "identity.account",
      text: `select id, password_hash from users where lower(email collate "C") = lower($1::text collate "C") and deleted_at is null`,
    },
    [email],
  );
  return rows[0] && { userId: encodeId("usr", rows[0].id), passwordHash: rows[0].password_hash };
}

async function storeHash(tx: Tx, { userId, passwordHash }: Account): Promise<void> {
  await tx.query("update users set password_hash = $2 where id = $1", [decodeId("usr", userId)!, passwordHash]);
}

function refused(ctx: Context, account: Account | undefined): Failure {
  ctx.security("sign_in_refused", { userId: account?.userId });
  return new Failure(badCredentials, "The email or the password is wrong", { headers: credentialsMissing().headers });
}

function unlessRefused(error: unknown): undefined {
  if (error instanceof Failure && error.status === 401) return undefined;
  throw error;
}
