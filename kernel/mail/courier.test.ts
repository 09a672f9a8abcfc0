import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock, type Logger, silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { createDatabase } from "../data/index.ts";
import { createTestDatabase } from "../testing/index.ts";
import { sendMails } from "./courier.ts";
import { mailMigrations } from "./index.ts";
import { type Mail, type Mailer, MailRefused } from "./mailer.ts";
import { insertMail, listMails, purgeMails } from "./mails.ts";

const minuteMs = 60_000;
const templates = { note: ({ word }: Readonly<Record<string, string>>) => ({ subject: "Note", text: `${word}\n` }) };

/** A queue of mails in a database of its own, what was handed to the mailer, and what was logged as an error. */
async function startQueue(send: (mail: Mail, signal: AbortSignal) => Promise<void> = async () => {}) {
  const { url } = await createTestDatabase({ migrations: [mailMigrations] });
  const db = createDatabase({ url, log: silentLogger, clock: systemClock });
  const clock = createManualClock();
  const sent: Mail[] = [];
  const errors: { fields: object; message: string }[] = [];
  const log: Logger = { ...silentLogger, error: (fields, message) => void errors.push({ fields, message }) };
  const mailer: Mailer = {
    async send(mail, signal) {
      await send(mail, signal);
      sent.push(mail);
    },
  };
  const never = new AbortController().signal;
  const options = { db, mailer, templates, clock, log };
  return {
    options,
    db,
    clock,
    sent,
    errors,
    run: (signal = never) => sendMails(options, signal),
    list: () => listMails(db, { limit: 100 }),
    async post(word: string, { template = "note", expiresInMs = 60 * minuteMs } = {}) {
      await clock.advance(1);
      const expiresAtMs = clock.nowMs() + expiresInMs;
      const request = { to: `${word}@example.com`, template, data: { word }, expiresAtMs };
      await db.transaction((tx) => insertMail(tx, request, { clock, random: systemRandom }));
    },
  };
}

test("a mail is sent once, made from what was stored for it", async (t) => {
  const queue = await startQueue();
  t.after(() => queue.db.close());
  for (const word of ["a", "b", "c", "d", "e", "f"]) await queue.post(word);
  await queue.run();
  await queue.run();
  deepEqual(
    queue.sent.map(({ to, subject, text }) => [to, subject, text]).toSorted(),
    ["a", "b", "c", "d", "e", "f"].map((word) => [`${word}@example.com`, "Note", `${word}\n`]),
  );
  ok((await queue.list()).every(({ state }) => state === "sent"));
});

test("a mail of a transaction that was rolled back does not exist", async (t) => {
  const queue = await startQueue();
  t.after(() => queue.db.close());
  const request = { to: "x@example.com", template: "note", data: {}, expiresAtMs: queue.clock.nowMs() + minuteMs };
  const undone = queue.db.transaction(async (tx) => {
    await insertMail(tx, request, { clock: queue.clock, random: systemRandom });
    throw new Error("undone");
  });
  await undone.catch(() => {});
  await queue.run();
  deepEqual([queue.sent.length, (await queue.list()).length], [0, 0]);
});

test("processes that send side by side send each mail once", async (t) => {
  const queue = await startQueue(() => new Promise((resolve) => setImmediate(resolve)));
  t.after(() => queue.db.close());
  const words = Array.from({ length: 30 }, (_, index) => `w${index}`);
  for (const word of words) await queue.post(word);
  await Promise.all([queue.run(), queue.run(), queue.run()]);
  deepEqual(queue.sent.map(({ to }) => to.split("@")[0]).toSorted(), words.toSorted());
});

test("a failed try is repeated later and later, and after the eighth the mail is given up and logged", async (t) => {
  const queue = await startQueue(() => Promise.reject(new Error("The server is away")));
  t.after(() => queue.db.close());
  await queue.post("late");
  const waitsMs: number[] = [];
  let lastMs = queue.clock.nowMs();
  for (let ms = 0; ms < 60 * minuteMs; ms += 5_000) {
    const [before] = await queue.db.query<{ tries: number }>("select tries from ashlar.mails").then(({ rows }) => rows);
    await queue.run();
    const [after] = await queue.db.query<{ tries: number }>("select tries from ashlar.mails").then(({ rows }) => rows);
    if (after!.tries > before!.tries) {
      waitsMs.push(queue.clock.nowMs() - lastMs);
      lastMs = queue.clock.nowMs();
    }
    await queue.clock.advance(5_000);
  }
  deepEqual(waitsMs, [0, 5_000, 15_000, 60_000, 180_000, 600_000, 1_200_000, 1_200_000]);
  const [mail] = await queue.list();
  deepEqual([mail!.state, mail!.reason], ["failed", "The server is away"]);
  deepEqual(
    queue.errors.map(({ message }) => message),
    ["A mail was given up"],
  );
  ok(!JSON.stringify(queue.errors).includes("late@example.com"));
});

test("a mail that the other side refuses for good, or that has no template, is not tried again", async (t) => {
  const queue = await startQueue(() => Promise.reject(new MailRefused("No such mailbox")));
  t.after(() => queue.db.close());
  await queue.post("nobody");
  await queue.post("nothing", { template: "missing" });
  await queue.run();
  await queue.clock.advance(30 * minuteMs);
  await queue.run();
  const mails = await queue.list();
  deepEqual(
    mails.map(({ state, reason }) => [state, reason]),
    [
      ["failed", "No such mailbox"],
      ["failed", 'There is no template "missing"'],
    ],
  );
  equal(queue.errors.length, 2);
});

test("a mail whose time has passed is not sent any more", async (t) => {
  const queue = await startQueue();
  t.after(() => queue.db.close());
  await queue.post("stale", { expiresInMs: minuteMs });
  await queue.post("fresh", { expiresInMs: 2 * minuteMs });
  await queue.clock.advance(minuteMs);
  await queue.run();
  deepEqual(
    queue.sent.map(({ to }) => to),
    ["fresh@example.com"],
  );
  match(queue.errors[0]!.message, /its time passed/);
});

test("a mail that was in hand when its process died is sent by another, under the same id", async (t) => {
  let dead = true;
  const ids: string[] = [];
  const called = Promise.withResolvers<void>();
  const queue = await startQueue((mail) => {
    ids.push(mail.id);
    called.resolve();
    return dead ? new Promise(() => {}) : Promise.resolve();
  });
  t.after(() => queue.db.close());
  await queue.post("orphan");
  // The one that dies has a clock of its own, which stands still from now on.
  void sendMails({ ...queue.options, clock: createManualClock(queue.clock.nowMs()) }, new AbortController().signal);
  await called.promise;
  dead = false;
  await queue.clock.advance(59_999);
  await queue.run();
  equal(ids.length, 1, "while the first may still be at it, nobody else is");
  await queue.clock.advance(1);
  await queue.run();
  deepEqual([queue.sent.length, new Set(ids).size, ids.length], [1, 1, 2]);
});

test("a server that says nothing is left after 20 seconds, and a process that ends does not wait for it", async (t) => {
  const reasons: unknown[] = [];
  let called = Promise.withResolvers<void>();
  const queue = await startQueue((_mail, signal) => {
    called.resolve();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reasons.push((signal.reason as Error).message);
        reject(new Error("aborted"));
      });
    });
  });
  t.after(() => queue.db.close());
  await queue.post("slow");
  const first = queue.run();
  await called.promise;
  await queue.clock.advance(19_999);
  deepEqual(reasons, []);
  await queue.clock.advance(1);
  await first;
  await queue.clock.advance(minuteMs);
  called = Promise.withResolvers();
  const stopping = new AbortController();
  const second = queue.run(stopping.signal);
  await called.promise;
  stopping.abort(new Error("stopping"));
  await second;
  deepEqual(reasons, ["It took longer than 20000 ms", "stopping"]);
  const [mail] = await queue.list();
  deepEqual([mail!.state, mail!.reason], ["waiting", "stopping"]);
});

test("mails are kept for thirty days", async (t) => {
  const queue = await startQueue();
  t.after(() => queue.db.close());
  await queue.post("old");
  await queue.clock.advance(30 * 24 * 60 * minuteMs);
  await purgeMails(queue.db, queue.clock);
  equal((await queue.list()).length, 1);
  await queue.post("new");
  await purgeMails(queue.db, queue.clock);
  deepEqual(
    (await queue.list()).map(({ to }) => to),
    ["new@example.com"],
  );
});
