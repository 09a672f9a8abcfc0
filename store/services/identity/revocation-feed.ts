// What ended tokens in other processes, and before this one started.
//
// A change takes effect at once in the process that made it. The rows say the same to all others: a
// session's and a key's `deleted_at`, a user's `deleted_at` and `roles_changed_at`. Reading again what is known
// already does no harm, so each reading reaches back a little further than the last one.

import { encodeId, timestamp } from "ashlar/base";
import type { Revocation } from "ashlar/auth";
import type { Queryable } from "ashlar/data";
import type { In, Out } from "ashlar/contract";
import type { Context, Job } from "ashlar/service";
import type { roleNames } from "../../api.ts";
import type { identity } from "./contract.ts";
import type { Parts } from "./parts.ts";

/** With the reading itself, well within the five seconds that clients are promised. */
const everyMs = 2_000;
/** The moment in a row is from before its commit, and from another machine's clock. */
export const marginMs = 60_000;

/** The first reading takes all that a living access token may meet, the others what is new. */
export function createRevocationFeed({ tokens, revocations }: Parts): Job {
  let readAtMs: number | undefined;
  return {
    everyMs,
    // Tokens that were ended before a restart must not live again until the first reading.
    atStart: true,
    async run(ctx) {
      const nowMs = ctx.clock.nowMs();
      const sinceMs = (readAtMs ?? nowMs - tokens.accessTtlMs) - marginMs;
      revocations.apply(await changesSince(ctx.db, timestamp(sinceMs)));
      readAtMs = nowMs;
    },
  };
}

/** The same for processes that this service does not run in. */
export async function listEndedTokens(
  ctx: Context,
  { body: { since } }: In<typeof identity.operations.listEndedTokens>,
  { tokens }: Parts,
): Promise<Out<typeof identity.operations.listEndedTokens>> {
  const nowMs = ctx.clock.nowMs();
  const sinceMs = (since === null ? nowMs - tokens.accessTtlMs : Date.parse(since)) - marginMs;
  const ended = (await changesSince(ctx.db, timestamp(sinceMs))).map((one) => ({
    kind: one.kind,
    id: one.kind === "session" ? one.sessionId : one.userId,
    roles: one.kind === "roles" ? ([...one.roles] as (typeof roleNames)[number][]) : null,
    at: timestamp(one.atMs),
  }));
  return { until: timestamp(nowMs), ended };
}

async function changesSince(db: Queryable, since: string): Promise<Revocation[]> {
  const { rows } = await db.query<{ kind: Revocation["kind"] | "key"; id: string; roles: string[] | null; at: string }>(
    {
      name: "identity.revocations",
      text: `
        select 'session' as kind, id, null::text[] as roles, deleted_at as at from sessions where deleted_at > $1
        union all
        select 'key', id, null, deleted_at from api_keys where deleted_at > $1
        union all
        select 'user', id, null, deleted_at from users where deleted_at > $1
        union all
        select 'roles', id, roles, roles_changed_at from users where roles_changed_at > $1`,
    },
    [since],
  );
  return rows.map(({ kind, id, roles, at }): Revocation => {
    const atMs = Date.parse(at);
    if (kind === "session") return { kind, sessionId: encodeId("ses", id), atMs };
    // A caller hangs on a key as on a session.
    if (kind === "key") return { kind: "session", sessionId: encodeId("key", id), atMs };
    const userId = encodeId("usr", id);
    return kind === "user" ? { kind, userId, atMs } : { kind, userId, roles: roles!, atMs };
  });
}
