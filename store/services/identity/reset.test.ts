import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Logger } from "ashlar/base";
import { bearer, password, startIdentity, uuidOf } from "./fixture.ts";

const logged: string[] = [];
const note = (fields: object, message: string) => void logged.push(JSON.stringify([fields, message]));
const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };

const api = await startIdentity({ log });
const newPassword = "a wholly different phrase";
const forgot = (email: string) => api.post("/auth/password/forgot", { email });
const reset = (token: string, wanted = newPassword) => api.post("/auth/password/reset", { token, newPassword: wanted });

/** The token of the link that is mailed to who asks now. */
async function tokenFor(email: string): Promise<string> {
  // Mails are in the order of their ids, which within a millisecond is chance.
  await api.clock.advance(1);
  equal((await forgot(email)).status, 204);
  await api.runJob("resetRequests");
  const mail = (await api.mailsTo(email)).findLast(({ template }) => template === "reset_password");
  return mail!.token;
}

test("a mailed link sets a new password and ends every session", async () => {
  await api.register("ann@example.com");
  const [phone, laptop] = [await api.login("ann@example.com"), await api.login("ann@example.com")];
  const token = await tokenFor("ANN@example.com");
  const answer = await reset(token);
  deepEqual([answer.status, answer.text, answer.headers.get("cache-control")], [204, "", "no-store"]);
  deepEqual([await api.statusFor(phone), await api.statusFor(laptop)], [401, 401]);
  equal((await api.refresh(laptop.refreshToken)).status, 401);
  equal((await api.post("/auth/login", { email: "ann@example.com", password })).status, 401);
  ok(await api.login("ann@example.com", newPassword));
  const [mail] = (await api.mailsTo("ann@example.com")).slice(-1);
  match(mail!.text, /\nhttps:\/\/shop\.example\/reset-password#token=[\w-]{43}\n/);
});

test("L03 asking is answered and noted alike for an address that is known, unknown, or of somebody who left", async () => {
  await api.register("known@example.com");
  const gone = await api.register("gone@example.com");
  await api.request("DELETE", `/v1/users/${gone.id}`, bearer(await api.login("gone@example.com")));
  const emails = ["known@example.com", "unknown@example.com", "gone@example.com"];
  await api.clock.advance(1);
  const before = await mailCount();
  const answers = await Promise.all(emails.map(forgot));
  for (const { status, text, headers } of answers) {
    deepEqual([status, text], [204, ""]);
    deepEqual([...headers.keys()], [...answers[0]!.headers.keys()]);
  }
  // The request left one row each and nothing more; whose address it is, nobody has asked yet.
  const rows = await api.sql("select email from password_reset_requests");
  deepEqual(rows.map(({ email }) => email).toSorted(), emails.toSorted());
  equal(await mailCount(), before);
  await api.runJob("resetRequests");
  deepEqual(await api.sql("select email from password_reset_requests"), []);
  equal(await mailCount(), before + 1);
  equal((await api.mailsTo("known@example.com")).at(-1)!.template, "reset_password");
});

async function mailCount(): Promise<number> {
  return Number((await api.sql("select count(*)::int as mails from ashlar.mails"))[0]!.mails);
}

test("asked several times before the mail is made, one is made", async () => {
  await api.register("eager@example.com");
  await Promise.all(["eager@example.com", "Eager@example.com", "EAGER@EXAMPLE.COM"].map(forgot));
  await api.runJob("resetRequests");
  equal((await api.mailsTo("eager@example.com")).length, 2);
});

test("more requests than one run takes are answered by the next ones", async () => {
  await api.register("behind@example.com");
  await api.sql(
    "insert into password_reset_requests (email, requested_at) select 'nobody' || n || '@example.com', now() - interval '1 year' from generate_series(1, 1000) n",
  );
  await forgot("behind@example.com");
  await api.runJob("resetRequests");
  equal((await api.mailsTo("behind@example.com")).length, 1);
  await api.runJob("resetRequests");
  equal((await api.mailsTo("behind@example.com")).length, 2);
});

test("L14 of 20 uses of one link at once exactly one succeeds", async () => {
  await api.register("race@example.com");
  const token = await tokenFor("race@example.com");
  const wanted = Array.from({ length: 20 }, (_, index) => `phrase number ${index} of twenty`);
  const answers = await Promise.all(wanted.map((one) => reset(token, one)));
  const statuses = answers.map(({ status }) => status);
  deepEqual(statuses.toSorted(), [204, ...Array.from({ length: 19 }, () => 422)]);
  ok(await api.login("race@example.com", wanted[statuses.indexOf(204)]));
});

test("L14 a link works for an hour at most", async () => {
  await api.register("late@example.com");
  const token = await tokenFor("late@example.com");
  await api.clock.advance(60 * 60_000);
  const late = await reset(token);
  deepEqual([late.status, late.json.error.code], [422, "INVALID_LINK"]);
  ok(await api.login("late@example.com"));
});

test("L14 the database and the log hold nothing that could be presented", async () => {
  const { id } = await api.register("rest@example.com");
  const token = await tokenFor("rest@example.com");
  const tables = ["email_links", "ashlar.mails", "ashlar.outbox", "password_reset_requests", "users"];
  const rows = await Promise.all(tables.map((table) => api.sql(`select t::text as row from ${table} t`)));
  ok(!JSON.stringify(rows).includes(token));
  const [link] = await api.sql(
    "select token_hash, expires_at - created_at <= interval '1 hour' as short from email_links where user_id = $1 and purpose = 'reset_password'",
    [uuidOf(id)],
  );
  deepEqual([link!.short, Buffer.from(token, "base64url").length], [true, 32]);
  deepEqual(link!.token_hash, createHash("sha256").update(token).digest());
  equal((await reset(token)).status, 204);
  for (const secret of [token, newPassword]) ok(!logged.join().includes(secret));
});

test("a weak password is a 400 and does not use the link up", async () => {
  await api.register("weak.person@example.com");
  const token = await tokenFor("weak.person@example.com");
  for (const weak of ["password1", "1234567", "weak.person", "ashlar2026!"]) {
    const answer = await reset(token, weak);
    deepEqual([answer.status, answer.json.error.details[0].field], [400, "newPassword"], weak);
  }
  equal((await reset(token)).status, 204);
});

test("a token that is unknown, used, replaced or of another kind gets one and the same refusal", async () => {
  await api.register("refused@example.com");
  const [verification] = await api.mailsTo("refused@example.com");
  const replaced = await tokenFor("refused@example.com");
  const used = await tokenFor("refused@example.com");
  equal((await reset(used)).status, 204);
  const answers = await Promise.all(
    [replaced, used, verification!.token, "x", "a".repeat(43)].map((one) => reset(one)),
  );
  for (const answer of answers) deepEqual([answer.status, answer.text], [422, answers[0]!.text]);
});

test("J10 neither a reset token nor a verification token is an access token or a refresh token", async () => {
  await api.register("kinds@example.com");
  const [verification] = await api.mailsTo("kinds@example.com");
  for (const token of [verification!.token, await tokenFor("kinds@example.com")]) {
    equal(await api.statusFor({ accessToken: token, refreshToken: token }), 401);
    equal((await api.refresh(token)).status, 401);
  }
  const { accessToken, refreshToken } = await api.login("kinds@example.com");
  equal((await reset(refreshToken.slice(0, 128))).status, 422);
  equal((await reset(accessToken)).status, 400);
});

test("an outstanding link dies when the password or the email changes, or the user leaves", async () => {
  const { id } = await api.register("changes@example.com");
  const by = bearer(await api.login("changes@example.com"));
  const first = await tokenFor("changes@example.com");
  const changed = await api.request("PUT", `/v1/users/${id}/password`, {
    body: { currentPassword: password, newPassword },
    ...by,
  });
  equal(changed.status, 204);
  equal((await reset(first)).status, 422);
  const second = await tokenFor("changes@example.com");
  await api.request("PATCH", `/v1/users/${id}`, { body: { email: "changed@example.com" }, ...by });
  equal((await reset(second)).status, 422);
  const third = await tokenFor("changed@example.com");
  await api.request("DELETE", `/v1/users/${id}`, by);
  equal((await reset(third)).status, 422);
});

test("who asked with an address that has become another's is not mailed for it", async () => {
  const { id } = await api.register("moves@example.com");
  const by = bearer(await api.login("moves@example.com"));
  await forgot("moves@example.com");
  await api.request("PATCH", `/v1/users/${id}`, { body: { email: "moved@example.com" }, ...by });
  await api.runJob("resetRequests");
  const mails = [...(await api.mailsTo("moves@example.com")), ...(await api.mailsTo("moved@example.com"))];
  ok(mails.every(({ template }) => template === "verify_email"));
});

test("five mails an hour go to one address, however often somebody asks; the last link stays good", async () => {
  await api.register("flooded@example.com");
  let token = "";
  for (let count = 0; count < 10; count++) token = await tokenFor("flooded@example.com");
  equal((await api.mailsTo("flooded@example.com")).length, 5);
  equal((await reset(token)).status, 204);
});

test("an address that is malformed is a 400, whoever has it", async () => {
  for (const email of ["", "not an address", "a@b@c.example", "x".repeat(255)])
    equal((await forgot(email)).status, 400, email);
});
