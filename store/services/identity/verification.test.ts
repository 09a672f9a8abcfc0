import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { bearer, startIdentity, uuidOf } from "./fixture.ts";

const api = await startIdentity();
const verify = (token: string) => api.post("/auth/email/verify", { token });

async function registered(email: string) {
  const { id } = await api.register(email);
  return { id, by: bearer(await api.login(email)) };
}

async function verifiedAt(id: string): Promise<unknown> {
  return (await api.sql("select email_verified_at from users where id = $1", [uuidOf(id)]))[0]!.email_verified_at;
}

test("registering mails a link, and its token verifies the address once", async () => {
  const { id, by } = await registered("ann@example.com");
  const [mail, ...more] = await api.mailsTo("ann@example.com");
  equal(more.length, 0);
  match(mail!.text, /\nhttps:\/\/shop\.example\/verify-email#token=[\w-]{43}\n/);
  const answer = await verify(mail!.token);
  deepEqual([answer.status, answer.text, answer.headers.get("cache-control")], [204, "", "no-store"]);
  const user = (await api.request("GET", "/v1/users/me", by)).json;
  deepEqual([user.emailVerifiedAt, user.version], [new Date(api.clock.nowMs()).toISOString(), 2]);
  const again = await verify(mail!.token);
  deepEqual([again.status, again.json.error.code, again.json.error.details[0].field], [422, "INVALID_LINK", "token"]);
  const events = await api.sql("select type from ashlar.outbox where aggregate_id = $1 order by seq", [id]);
  deepEqual(
    events.map(({ type }) => type),
    ["user.registered", "user.updated"],
  );
});

test("L16 the host of a link is the configured one, whatever the request says", async () => {
  const headers = { host: "evil.example", "x-forwarded-host": "evil.example", forwarded: "host=evil.example" };
  const body = { email: "host@example.com", name: "Test Person", password: "correct horse battery" };
  equal((await api.post("/v1/users", body, { headers })).status, 201);
  const [mail] = await api.mailsTo("host@example.com");
  ok(!mail!.text.includes("evil"));
  match(mail!.text, /https:\/\/shop\.example\/verify-email#token=/);
});

test("a mail repeats nothing that whoever registered has chosen", async () => {
  const name = "Cheap pills at http://evil.example";
  await api.register("reader@example.com", { name });
  const [mail] = await api.mailsTo("reader@example.com");
  ok(!`${mail!.subject}${mail!.text}`.includes("pills"));
});

test("an unknown, an expired, a replaced and another kind of token get one and the same refusal", async () => {
  const { by } = await registered("refused@example.com");
  const [first] = await api.mailsTo("refused@example.com");
  await api.clock.advance(1);
  equal((await api.request("POST", "/auth/email/verification", by)).status, 204);
  const replaced = await verify(first!.token);
  const second = (await api.mailsTo("refused@example.com")).at(-1)!;
  notEqual(second.token, first!.token);
  await api.clock.advance(1);
  await api.post("/auth/password/forgot", { email: "refused@example.com" });
  await api.runJob("resetRequests");
  const forReset = (await api.mailsTo("refused@example.com")).at(-1)!;
  equal(forReset.template, "reset_password");
  const otherKind = await verify(forReset.token);
  await api.clock.advance(60 * 60_000);
  const answers = [replaced, otherKind, await verify(second.token), await verify("x"), await verify("a".repeat(43))];
  for (const answer of answers) deepEqual([answer.status, answer.text], [422, answers[0]!.text]);
});

test("a link works for an hour, to the millisecond", async () => {
  const { id } = await registered("hour@example.com");
  const [mail] = await api.mailsTo("hour@example.com");
  await api.clock.advance(60 * 60_000 - 1);
  equal((await verify(mail!.token)).status, 204);
  notEqual(await verifiedAt(id), null);
});

test("a change of email mails a link to the new address, and the one to the old address is dead", async () => {
  const { id, by } = await registered("old@example.com");
  const [old] = await api.mailsTo("old@example.com");
  const changed = await api.request("PATCH", `/v1/users/${id}`, { body: { email: "new@example.com" }, ...by });
  equal(changed.status, 200);
  const [mail] = await api.mailsTo("new@example.com");
  equal((await verify(old!.token)).status, 422);
  equal(await verifiedAt(id), null);
  equal((await verify(mail!.token)).status, 204);
  notEqual(await verifiedAt(id), null);
  await api.request("PATCH", `/v1/users/${id}`, { body: { name: "Renamed" }, ...by });
  equal((await api.mailsTo("new@example.com")).length, 1);
});

test("of 20 uses of one link at once exactly one succeeds", async () => {
  await registered("race@example.com");
  const [mail] = await api.mailsTo("race@example.com");
  const statuses = (await Promise.all(Array.from({ length: 20 }, () => verify(mail!.token)))).map(
    ({ status }) => status,
  );
  deepEqual(statuses.toSorted(), [204, ...Array.from({ length: 19 }, () => 422)]);
});

test("a new link is for who is signed in, and nothing is mailed to who has verified", async () => {
  equal((await api.post("/auth/email/verification", undefined)).status, 401);
  const { by } = await registered("done@example.com");
  const [mail] = await api.mailsTo("done@example.com");
  await verify(mail!.token);
  equal((await api.request("POST", "/auth/email/verification", by)).status, 204);
  equal((await api.mailsTo("done@example.com")).length, 1);
});

test("five links an hour go to one address or for one user; the next is refused with the time to wait", async () => {
  const { id, by } = await registered("many@example.com");
  const ask = (as = by) => api.request("POST", "/auth/email/verification", as);
  for (let count = 0; count < 4; count++) {
    await api.clock.advance(60_000);
    equal((await ask()).status, 204);
  }
  const refused = await ask();
  deepEqual(
    [refused.status, refused.json.error.code, refused.headers.get("retry-after")],
    [429, "RATE_LIMITED", String(56 * 60)],
  );
  // Another address is no way around it, and neither is another account with this one.
  await api.request("PATCH", `/v1/users/${id}`, { body: { email: "elsewhere@example.com" }, ...by });
  equal((await api.mailsTo("elsewhere@example.com")).length, 0);
  await api.register("many@example.com");
  equal((await api.mailsTo("many@example.com")).length, 5);
  await api.clock.advance(56 * 60_000);
  equal((await ask(bearer(await api.login("elsewhere@example.com")))).status, 204);
  equal((await api.mailsTo("elsewhere@example.com")).length, 1);
});

test("registering again under an Idempotency-Key mails no second link", async () => {
  const headers = { "idempotency-key": "mail-once" };
  const body = { email: "once@example.com", name: "Once", password: "correct horse battery" };
  equal((await api.post("/v1/users", body, { headers })).status, 201);
  equal((await api.post("/v1/users", body, { headers })).status, 201);
  equal((await api.mailsTo("once@example.com")).length, 1);
});

test("a registration that is refused mails nothing", async () => {
  await registered("taken@example.com");
  const body = { email: "Taken@example.com", name: "Other", password: "correct horse battery" };
  equal((await api.post("/v1/users", body)).status, 409);
  equal((await api.mailsTo("taken@example.com")).length, 1);
});

test("links that can no longer be used are removed once they no longer count", async () => {
  const { id } = await registered("purged@example.com");
  const count = async () =>
    (await api.sql("select count(*)::int as links from email_links where user_id = $1", [uuidOf(id)]))[0]!.links;
  await api.clock.advance(60 * 60_000);
  await api.runJob("links");
  equal(await count(), 1);
  await api.clock.advance(1);
  await api.runJob("links");
  equal(await count(), 0);
});
