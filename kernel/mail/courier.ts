// Sends what is due.
//
// Never from within a request: how long an answer takes must not tell whether a mail goes out. A mail is
// taken by moving its next try on, so several processes can send side by side and one that dies loses
// nothing. It may send a mail twice, if it dies between the server's word and its own note; both
// copies then have one Message-ID.

import type { Clock, Logger } from "../base/index.ts";
import type { Queryable } from "../data/index.ts";
import { type Mailer, MailRefused, type MailText } from "./mailer.ts";
import { type ClaimedMail, claimMails, expireMails, markFailed, markSent } from "./mails.ts";

/** Makes the text of a mail from what was stored for it. */
export type MailTemplate = (data: Readonly<Record<string, string>>) => MailText;

export interface CourierOptions {
  db: Queryable;
  mailer: Mailer;
  templates: Readonly<Record<string, MailTemplate>>;
  clock: Clock;
  log: Logger;
}

/** Mails at a time, each on a connection of its own. */
const atOnce = 4;
const sendTimeoutMs = 20_000;
/** Longer than a try takes. */
const leaseMs = 60_000;
/** A run takes no further mails after this; what is left is the next run's. */
const runMs = 30_000;
/** The wait after each failed try; after one more there is none. In sum a little less than an hour. */
const waitsMs = [5_000, 15_000, 60_000, 3 * 60_000, 10 * 60_000, 20 * 60_000, 20 * 60_000];
const reasonLengthMax = 500;

/** Sends everything that is due now. */
export async function sendMails(options: CourierOptions, signal: AbortSignal): Promise<void> {
  const { db, clock, log } = options;
  const startedAtMs = clock.nowMs();
  for (const id of await expireMails(db, startedAtMs))
    log.error({ mailId: id }, "A mail was given up: its time passed before it could be sent");
  while (!signal.aborted && clock.nowMs() - startedAtMs < runMs) {
    const mails = await claimMails(db, { nowMs: clock.nowMs(), leaseMs, limit: atOnce });
    if (mails.length === 0) return;
    await Promise.all(mails.map((mail) => sendOne(options, mail, signal)));
  }
}

async function sendOne(options: CourierOptions, mail: ClaimedMail, signal: AbortSignal): Promise<void> {
  const { db, clock, log } = options;
  const about = { mailId: mail.id, template: mail.template, tries: mail.tries };
  try {
    await withinTime(options, mail, signal);
    await markSent(db, mail.id, clock.nowMs());
    log.info(about, "A mail was sent");
  } catch (error) {
    const waitMs = error instanceof MailRefused ? undefined : waitsMs[mail.tries - 1];
    const nextTryAtMs = waitMs === undefined ? undefined : clock.nowMs() + waitMs;
    const reason = (error as Error).message.slice(0, reasonLengthMax);
    await markFailed(db, mail.id, { reason, nextTryAtMs });
    if (nextTryAtMs === undefined) log.error({ ...about, reason }, "A mail was given up");
    else log.warn({ ...about, reason, waitMs }, "A mail could not be sent; it will be tried again");
  }
}

async function withinTime({ mailer, templates, clock }: CourierOptions, mail: ClaimedMail, signal: AbortSignal) {
  const { id, to, template, data } = mail;
  const render = templates[template];
  if (render === undefined) throw new MailRefused(`There is no template "${template}"`);
  const late = new AbortController();
  const done = new AbortController();
  void clock
    .sleep(sendTimeoutMs, done.signal)
    .then(() => late.abort(new Error(`It took longer than ${sendTimeoutMs} ms`)));
  const ended = AbortSignal.any([signal, late.signal]);
  try {
    await mailer.send({ id, to, ...render(data) }, ended);
  } catch (error) {
    throw ended.aborted ? ended.reason : error;
  } finally {
    done.abort();
  }
}
