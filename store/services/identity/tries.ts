// How often passwords may be tried (docs/decisions/0007-sign-in-throttling.md has the reasons and the numbers).
//
// Failures in a row are counted per account: from the tenth on each costs a wait, which doubles up to an hour,
// and the fiftieth costs a month. That alone would let anybody lock anybody out. So a device from which the owner
// has signed in lately has a small count of its own, and what strangers do is not held against it.
//
// A try is counted before the password is looked at and taken back when it was right: of any number of tries
// at once no more are looked at than may fail. Everything hangs on hashes of what was sent, so an account that
// does not exist is throttled like one that does.

import { createHmac } from "node:crypto";
import { timestamp } from "ashlar/base";
import { errors, Failure } from "ashlar/contract";
import type { Queryable, Tx } from "ashlar/data";
import { bucketAddress } from "ashlar/http";
import type { Context } from "ashlar/service";
import type { Parts } from "./parts.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

const longestWaitMs = 60 * minuteMs;
const knownForMs = 30 * dayMs;
const failuresKeptMs = 30 * dayMs;

/** The wait after the first failure in a row, after the second, and so on. After the last the count begins anew. */
const accountWaitsMs = [...waits({ free: 9, max: 49 }), failuresKeptMs];
/** A device whose tries are used up counts as unknown from then on. */
const deviceWaitsMs = waits({ free: 4, max: 10 });
/** With the numbers above, a hundred failures in a row at most, wherever they come from. */
const devicesPerAccountMax = 5;

/** Of 100 bytes each. Beyond it the rows with the fewest failures go: forgetting those gives the least away. */
const failureRowsMax = 1_000_000;

function waits({ free, max }: { free: number; max: number }): number[] {
  const waitMs = (failures: number) => Math.min(minuteMs * 2 ** (failures - free - 1), longestWaitMs);
  return Array.from({ length: max }, (_, index) => (index < free ? 0 : waitMs(index + 1)));
}

/** Whose password is tried, and from where. */
interface Who {
  readonly account: Buffer;
  readonly device: Buffer;
}

/** A try that has been counted. */
export interface Try extends Who {
  readonly countedOn: "account" | "device";
}

/** What a try came to. It has been counted; `endTry` or `takeBack` it unless it failed. */
export interface Tried<A> {
  readonly attempt: Try;
  readonly account: A | undefined;
  readonly ok: boolean;
  readonly needsRehash: boolean;
}

/**
 * Counts a try at the password of this address, finds the account and looks at the password, all in one turn
 * to hash: who is turned away because too many wait costs no statement. 429 when no try is due.
 */
export async function tryPassword<A extends { passwordHash: string }>(
  ctx: Context,
  { email, password, find }: { email: string; password: string; find: () => Promise<A | undefined> },
  parts: Parts,
): Promise<Tried<A>> {
  return parts.passwords.inTurn(async (verify) => {
    const attempt = await beginTry(ctx, email, parts);
    try {
      const account = await find();
      return { attempt, account, ...(await verify(account?.passwordHash, password)) };
    } catch (error) {
      await takeBack(ctx, attempt);
      throw error;
    }
  });
}

async function beginTry(ctx: Context, email: string, parts: Pick<Parts, "secretFor">): Promise<Try> {
  const who = whoTries(ctx, email, parts);
  const nowMs = ctx.clock.nowMs();
  const onDevice = await countOnDevice(ctx.db, who, nowMs);
  const { counted, retryAt } = onDevice ?? (await countOnAccount(ctx.db, who, nowMs));
  const countedOn = onDevice === undefined ? "account" : "device";
  if (counted) return { ...who, countedOn };
  ctx.security("sign_in_throttled", { countedOn });
  const waitMs = Math.max(1_000, (retryAt === null ? 0 : Date.parse(retryAt)) - nowMs);
  throw new Failure(errors.rateLimited, "Too many sign-ins failed; wait, or choose a new password by mail", {
    headers: { "retry-after": String(Math.ceil(waitMs / 1000)) },
  });
}

interface Counted {
  [column: string]: unknown;
  counted: boolean;
  /** As it was before: of use when it was not counted. */
  retryAt: string | null;
}

/** Undefined when the device is not known, or its tries are used up. */
async function countOnDevice(db: Queryable, { account, device }: Who, nowMs: number): Promise<Counted | undefined> {
  const { rows } = await db.query<Counted>(countDevice, [
    account,
    device,
    timestamp(nowMs),
    timestamp(nowMs - knownForMs),
    deviceWaitsMs,
  ]);
  return rows[0];
}

const countDevice = {
  name: "identity.count_on_device",
  text: `
    with counted as (
      update known_devices set failures = failures + 1, retry_at = $3::timestamptz + ($5::float8[])[failures + 1] * interval '1 millisecond'
      where account = $1 and device = $2 and last_used_at > $4 and failures < cardinality($5::float8[]) and retry_at <= $3
      returning 1)
    select retry_at as "retryAt", exists (select from counted) as counted from known_devices
    where account = $1 and device = $2 and last_used_at > $4 and failures < cardinality($5::float8[])`,
};

async function countOnAccount(db: Queryable, { account }: Who, nowMs: number): Promise<Counted> {
  const { rows } = await db.query<Counted>(countAccount, [account, timestamp(nowMs), accountWaitsMs]);
  return rows[0]!;
}

const countAccount = {
  name: "identity.count_on_account",
  text: `
    with counted as (
      insert into sign_in_failures as f (account, failures, retry_at, failed_at)
      values ($1, 1, $2::timestamptz + ($3::float8[])[1] * interval '1 millisecond', $2)
      on conflict (account) do update set
        failures = f.failures % cardinality($3::float8[]) + 1,
        retry_at = $2::timestamptz + ($3::float8[])[f.failures % cardinality($3::float8[]) + 1] * interval '1 millisecond',
        failed_at = $2
      where f.retry_at <= $2
      returning 1)
    select exists (select from counted) as counted, (select retry_at from sign_in_failures where account = $1) as "retryAt"`,
};

/** Takes a try back that did not fail for its password: the database had no room, or the new password was refused. */
export async function takeBack(ctx: Context, { account, device, countedOn }: Try): Promise<void> {
  const change = "set failures = failures - 1, retry_at = $1";
  if (countedOn === "device")
    await ctx.db.query(`update known_devices ${change} where account = $2 and device = $3 and failures > 0`, [
      ctx.now(),
      account,
      device,
    ]);
  else
    await ctx.db.query(`update sign_in_failures ${change} where account = $2 and failures > 0`, [ctx.now(), account]);
}

/**
 * The password was right: the device is known from now on, and its failures are forgotten. Those of the
 * account are when the try was counted there, and not when it came from a known device: whoever signs in all
 * day, a script say, would else give strangers ten tries each time.
 */
export async function endTry(ctx: Context, tx: Tx, { account, device, countedOn }: Try): Promise<void> {
  if (countedOn === "account") await tx.query("delete from sign_in_failures where account = $1", [account]);
  await remember(ctx, tx, { account, device });
}

/** The owner has chosen a new password by mail. Whoever was known before may be why, so only this device is. */
export async function startOver(ctx: Context, tx: Tx, email: string, parts: Pick<Parts, "secretFor">): Promise<void> {
  const who = whoTries(ctx, email, parts);
  await tx.query("delete from sign_in_failures where account = $1", [who.account]);
  await tx.query("delete from known_devices where account = $1", [who.account]);
  await remember(ctx, tx, who);
}

/** Another user may have the address next, and the devices are not theirs. */
export async function forgetDevices(
  ctx: Context,
  tx: Tx,
  email: string,
  parts: Pick<Parts, "secretFor">,
): Promise<void> {
  await tx.query("delete from known_devices where account = $1", [whoTries(ctx, email, parts).account]);
}

async function remember(ctx: Context, tx: Tx, { account, device }: Who): Promise<void> {
  const text = `insert into known_devices (account, device, last_used_at, failures, retry_at) values ($1, $2, $3, 0, $3)
    on conflict (account, device) do update set last_used_at = $3, failures = 0, retry_at = $3`;
  await tx.query({ name: "identity.remember_device", text }, [account, device, ctx.now()]);
  await dropSurplus(tx, account);
}

/** A refresh keeps a device known, or makes it so. It gives back no tries: it says nothing of who tries passwords there. */
export async function noteDevice(ctx: Context, tx: Tx, email: string, parts: Pick<Parts, "secretFor">): Promise<void> {
  const { account, device } = whoTries(ctx, email, parts);
  const now = ctx.now();
  const { rowCount } = await tx.query(noteUse, [account, device, now, timestamp(ctx.clock.nowMs() - dayMs)]);
  if (rowCount === 1) await dropSurplus(tx, account);
}

// Once a day is often enough to know what was used within thirty.
const noteUse = {
  name: "identity.note_device",
  text: `insert into known_devices as known (account, device, last_used_at, failures, retry_at) values ($1, $2, $3, 0, $3)
    on conflict (account, device) do update set last_used_at = $3 where known.last_used_at < $4`,
};

async function dropSurplus(tx: Tx, account: Buffer): Promise<void> {
  const text = `delete from known_devices where account = $1 and device in (
      select device from known_devices where account = $1 order by last_used_at desc, device offset $2)`;
  await tx.query({ name: "identity.drop_devices", text }, [account, devicesPerAccountMax]);
}

const purgeBatch = 10_000;

/** Removes what no longer counts, and what is too much, a bounded number at a time. */
export async function purgeTries(ctx: Context, rowsMax = failureRowsMax): Promise<void> {
  const nowMs = ctx.clock.nowMs();
  await ctx.db.query(
    `delete from known_devices where (account, device) in (
       select account, device from known_devices where last_used_at <= $1 limit $2 for update skip locked)`,
    [timestamp(nowMs - knownForMs), purgeBatch],
  );
  await ctx.db.query(
    `delete from sign_in_failures where account in (
       select account from sign_in_failures where failed_at <= $1 limit $2 for update skip locked)`,
    [timestamp(nowMs - failuresKeptMs), purgeBatch],
  );
  await ctx.db.query(
    `delete from sign_in_failures where account in (
       select account from sign_in_failures order by failures desc, failed_at desc offset $1 limit $2)`,
    [rowsMax, purgeBatch],
  );
}

/** Folds the letters that the index of users folds, no others. */
function whoTries(ctx: Context, email: string, { secretFor }: Pick<Parts, "secretFor">): Who {
  const key = secretFor("sign-in tries");
  const folded = email.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  const hash = (...parts: readonly string[]) => createHmac("sha256", key).update(JSON.stringify(parts)).digest();
  return { account: hash("account", folded), device: hash("device", folded, bucketAddress(addressOf(ctx))) };
}

/** Where the request came from. */
function addressOf({ caller }: Context): string {
  return caller.kind === "service" ? caller.name : caller.address;
}
