// Sessions whose time is over, and rows that nobody needs any more. A bounded number at a time: what is
// left over is the next run's, and runs of several processes pass each other by.

import { timestamp, uuidv7From } from "ashlar/base";
import type { Context } from "ashlar/service";
import type { Parts } from "./parts.ts";
import { marginMs } from "./revocation-feed.ts";

const batch = 1_000;
/** Each takes its refresh tokens along, of which there may be thousands. */
const sessionsPurgedMax = 100;

export async function clearSessions(ctx: Context, { tokens }: Parts): Promise<void> {
  const nowMs = ctx.clock.nowMs();
  const now = timestamp(nowMs);
  // Expired is ended, like any other way to end: it leaves the list, and the other processes learn of it.
  await ctx.db.query(
    `update sessions set deleted_at = $1, updated_at = $1, version = version + 1 where id in (
       select id from sessions where expires_at <= $1 and deleted_at is null order by expires_at limit $2 for update skip locked)`,
    [now, batch],
  );
  // Ended so long ago that no access token of it lives. Its refresh tokens, unknown from then on, are refused as before.
  await ctx.db.query(
    `delete from sessions where id in (
       select id from sessions where deleted_at < $1 order by deleted_at limit $2 for update skip locked)`,
    [timestamp(nowMs - tokens.accessTtlMs - 2 * marginMs), sessionsPurgedMax],
  );
  // Superseded tokens that have expired themselves: their signature is refused before their row is asked for.
  // Ids are in the order of issue, so the primary key finds the old ones.
  await ctx.db.query(
    `delete from refresh_tokens where id in (
       select id from refresh_tokens where id < $1 and superseded_at is not null order by id limit $2 for update skip locked)`,
    [uuidv7From(nowMs - tokens.refreshTtlMs - marginMs, new Uint8Array(10)), batch],
  );
}
