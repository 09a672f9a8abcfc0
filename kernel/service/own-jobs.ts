// What the platform does by itself in every service: it clears away what is over, and sends the mails.

import { type Clock, type Logger, timestamp } from "../base/index.ts";
import { pruneMarks } from "../cache/index.ts";
import type { Table } from "../data/index.ts";
import { type Mailer, purgeMails, sendMails } from "../mail/index.ts";
import type { Context } from "./context.ts";
import { purgeRecords } from "./idempotency.ts";
import type { Implementation, Job } from "./implement.ts";

const purgeEveryMs = 10 * 60_000;
const mailEveryMs = 2_000;
const marksKeptMs = 60_000;
const purgeBatch = 1_000;
const purgeBatchesMax = 20;

export interface OwnJobsOptions {
  implementation: Implementation;
  mailer: Mailer | undefined;
  purgeDeletedAfterMs: number | undefined;
  clock: Clock;
}

export function ownJobs(
  { implementation, mailer, purgeDeletedAfterMs, clock }: OwnJobsOptions,
  tables: ReadonlyMap<string, Table>,
  log: Logger,
): Record<string, Job> {
  const { mails: templates } = implementation;
  const purge: Job = {
    everyMs: purgeEveryMs,
    async run({ db }) {
      await purgeRecords(db, clock);
      await purgeMails(db, clock);
    },
  };
  const purgeDeleted: Job = {
    everyMs: purgeEveryMs,
    async run(ctx) {
      if (purgeDeletedAfterMs === undefined) return;
      const before = timestamp(clock.nowMs() - purgeDeletedAfterMs);
      for (const table of tables.values()) await purgeTable(ctx, table, before);
    },
  };
  const pruneCacheMarks: Job = {
    everyMs: marksKeptMs,
    async run({ db }) {
      await pruneMarks(db, marksKeptMs);
    },
  };
  const clearing = { "ashlar.cacheMarks": pruneCacheMarks, "ashlar.purge": purge, "ashlar.purgeDeleted": purgeDeleted };
  if (mailer === undefined || Object.keys(templates).length === 0) return clearing;
  const mail: Job = {
    everyMs: mailEveryMs,
    run: ({ db, deadline }) => sendMails({ db, mailer, templates, clock, log }, deadline.signal),
  };
  return { ...clearing, "ashlar.mail": mail };
}

/** Erases in batches, so that no statement holds many locks, and at most as many as fit into the time of a job. */
async function purgeTable(ctx: Context, table: Table, before: string): Promise<void> {
  let erased = purgeBatch;
  for (let batches = 0; batches < purgeBatchesMax && erased === purgeBatch; batches++)
    erased = await table.purge(ctx.db, before, purgeBatch);
}
