import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import type { TestAnswer } from "ashlar/testing";
import { orders } from "../orders/contract.ts";
import { bearer, type IdentitySystem, startIdentity, uuidOf } from "./fixture.ts";

const api = await startIdentity();
const minuteMs = 60_000;
let people = 0;

interface Key {
  id: string;
  key: string;
}

async function someone(system: IdentitySystem = api) {
  const email = `machine.owner.${++people}@example.com`;
  const { id } = await system.register(email);
  return { id, email, session: await system.login(email) };
}

type Someone = Awaited<ReturnType<typeof someone>>;

const makeKey = (owner: Someone, body: object = {}, system = api): Promise<TestAnswer> =>
  system.post(
    `/v1/users/${owner.id}/api-keys`,
    { name: "Sync", scopes: ["identity:read"], ...body },
    bearer(owner.session),
  );
const keyOf = async (owner: Someone, body: object = {}, system = api): Promise<Key> => {
  const answer = await makeKey(owner, body, system);
  equal(answer.status, 201, answer.text);
  return answer.json;
};
const use = (key: string, method = "GET", path = "/v1/users/me", body?: unknown) =>
  api.request(method, path, { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { body }) });
const endKey = (owner: Someone, id: string, system = api) =>
  system.request("DELETE", `/v1/users/${owner.id}/api-keys/${id}`, bearer(owner.session));

test("a key is shown once, begins with its id, and acts for its owner; only a hash is kept", async () => {
  const owner = await someone();
  const answer = await makeKey(owner);
  equal(answer.headers.get("cache-control"), "no-store");
  const { id, key } = answer.json as Key;
  match(key, new RegExp(`^${id}\\.[A-Za-z0-9_-]{43}$`));
  equal((await use(key)).json.id, owner.id);
  const list = await api.request("GET", `/v1/users/${owner.id}/api-keys`, bearer(owner.session));
  ok(!list.text.includes(key.slice(id.length + 1)));
  deepEqual([list.json.data[0].id, "key" in list.json.data[0]], [id, false]);
  const [row] = await api.sql("select row_to_json(api_keys)::text as text from api_keys where id = $1", [uuidOf(id)]);
  ok(!String(row!.text).includes(key.slice(id.length + 1)));
});

test("Z02 a key does what its scopes say and no more: 403 names the scope", async () => {
  const owner = await someone();
  const reading = await keyOf(owner);
  const path = `/v1/users/${owner.id}`;
  const refused = await use(reading.key, "PATCH", path, { name: "Changed" });
  equal(refused.status, 403);
  equal(
    refused.headers.get("www-authenticate"),
    'Bearer realm="ashlar", error="insufficient_scope", scope="identity:write"',
  );
  const writing = await keyOf(owner, { scopes: ["identity:write"] });
  equal((await use(writing.key, "PATCH", path, { name: "Changed" })).status, 200);
  equal((await use(writing.key)).status, 403);
  const foreign = await keyOf(owner, { scopes: ["orders:read", "orders:write"] });
  equal((await use(foreign.key)).status, 403);
});

test("Z01 a key reaches nobody else's objects, and what needs a person it cannot do whatever its scopes", async () => {
  const [owner, other] = [await someone(), await someone()];
  const { id, key } = await keyOf(owner, { scopes: ["identity:read", "identity:write"] });
  equal((await use(key, "GET", `/v1/users/${other.id}`)).status, 404);
  equal((await use(key, "GET", "/v1/users")).status, 403);
  const personal: [string, string, unknown?][] = [
    ["GET", `/v1/users/${owner.id}/api-keys`],
    ["POST", `/v1/users/${owner.id}/api-keys`, { name: "More", scopes: ["identity:read"] }],
    ["DELETE", `/v1/users/${owner.id}/api-keys/${id}`],
    ["GET", `/v1/users/${owner.id}/sessions`],
    ["PUT", `/v1/users/${owner.id}/password`, { currentPassword: "x", newPassword: "another long one" }],
  ];
  for (const request of personal) equal((await use(key, ...request)).status, 403, request.join(" "));
  equal((await makeKey({ ...owner, session: other.session })).status, 404);
});

test("a key ends at once when it is deleted, and with its owner", async () => {
  const owner = await someone();
  const [first, second] = [await keyOf(owner), await keyOf(owner)];
  deepEqual([(await use(first.key)).status, (await use(second.key)).status], [200, 200]);
  equal((await endKey(owner, first.id)).status, 204);
  const refused = await use(first.key);
  equal(refused.status, 401);
  equal(refused.headers.get("www-authenticate"), 'Bearer realm="ashlar", error="invalid_token"');
  equal((await use(second.key)).status, 200);
  equal((await endKey(owner, first.id)).status, 404);
  equal((await api.request("DELETE", `/v1/users/${owner.id}`, bearer(owner.session))).status, 204);
  equal((await use(second.key)).status, 401);
});

test("another process learns within its next reading that a key it remembers has ended", async () => {
  const owner = await someone();
  const { id, key } = await keyOf(owner);
  equal((await use(key)).status, 200);
  // As another process leaves it: the row, and nothing in this one's memory.
  await api.sql("update api_keys set deleted_at = $2 where id = $1", [uuidOf(id), new Date(api.clock.nowMs())]);
  equal((await use(key)).status, 200);
  await api.runJob("revocations");
  equal((await use(key)).status, 401);
});

test("an expired key is refused to the second, and one that would never live is not made", async () => {
  const owner = await someone();
  const inAMinute = new Date(api.clock.nowMs() + minuteMs).toISOString();
  const { key } = await keyOf(owner, { expiresAt: inAMinute });
  await api.clock.advance(minuteMs - 1);
  equal((await use(key)).status, 200);
  await api.clock.advance(1);
  equal((await use(key)).status, 401);
  const late = await makeKey({ ...owner, session: await api.login(owner.email) }, { expiresAt: inAMinute });
  deepEqual([late.status, late.json.error.details[0].field], [422, "expiresAt"]);
});

test("the roles of a key are its owner's at each moment", async () => {
  const owner = await someone();
  const { key } = await keyOf(owner);
  equal((await use(key, "GET", "/v1/users")).status, 403);
  await api.promote(owner.id);
  await api.clock.advance(minuteMs);
  equal((await use(key, "GET", "/v1/users")).status, 200);
});

test("when a key was last used is known to a minute", async () => {
  const owner = await someone();
  const { id, key } = await keyOf(owner);
  const read = async () =>
    (await api.request("GET", `/v1/users/${owner.id}/api-keys/${id}`, bearer(owner.session))).json.lastUsedAt;
  equal(await read(), null);
  await use(key);
  equal(Date.parse(await read()), api.clock.nowMs());
});

test("what only looks like a key is 401: other secrets, other spellings, unknown ids", async () => {
  const owner = await someone();
  const { id, key } = await keyOf(owner);
  const secret = key.slice(id.length + 1);
  const swapped = secret.startsWith("A") ? `B${secret.slice(1)}` : `A${secret.slice(1)}`;
  // The last letter holds four bits of the secret and two that must be zero.
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const respelled = `${secret.slice(0, -1)}${letters[letters.indexOf(secret.at(-1)!) + 1]}`;
  notEqual(respelled, secret);
  for (const wrong of [
    `${id}.${swapped}`,
    `${id}.${respelled}`,
    `${id}.${secret}A`,
    `${id}.`,
    id,
    `${id}.${secret.slice(1)}`,
    `key_01h455vb4pex5vsknk084sn02q.${secret}`,
    `key_${"z".repeat(26)}.${secret}`,
    `${id.toUpperCase()}.${secret}`,
    `KEY${key.slice(3)}`,
  ])
    equal((await use(wrong)).status, 401, wrong);
});

test("of a user's keys a bounded number lives; a deleted one makes room", async () => {
  const bounded = await startIdentity({ policy: { apiKeysPerUserMax: 2 } });
  const owner = await someone(bounded);
  const answers = await Promise.all([1, 2, 3, 4].map(() => makeKey(owner, {}, bounded)));
  deepEqual(answers.map(({ status }) => status).toSorted(), [201, 201, 422, 422]);
  const made = answers.find(({ status }) => status === 201)!;
  equal((await endKey(owner, made.json.id, bounded)).status, 204);
  equal((await makeKey(owner, {}, bounded)).status, 201);
});

test("a repeated Idempotency-Key answers the same key, which nobody can read in the database", async () => {
  const owner = await someone();
  const post = () =>
    api.request("POST", `/v1/users/${owner.id}/api-keys`, {
      body: { name: "Once", scopes: ["identity:read"] },
      headers: { "idempotency-key": "make-my-key" },
      ...bearer(owner.session),
    });
  const [first, again] = [await post(), await post()];
  deepEqual([again.status, again.text, again.headers.get("idempotent-replayed")], [201, first.text, "true"]);
  equal((await use(again.json.key)).status, 200);
  const stored = await api.sql("select row_to_json(k)::text as text from ashlar.idempotency_keys as k");
  ok(stored.length > 0);
  for (const { text } of stored) ok(!String(text).includes(again.json.key));
});

test("a machine has a bucket of its own, so that it does not lock its owner out", async () => {
  const few = { maxRequests: 3, windowMs: 60_000 };
  const limited = await startIdentity({
    settings: { limits: { machine: few } },
  });
  const owner = await someone(limited);
  const { key } = await keyOf(owner, {}, limited);
  const ask = () => limited.request("GET", "/v1/users/me", { authorization: `Bearer ${key}` });
  const answers = [await ask(), await ask(), await ask(), await ask()];
  deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 429],
  );
  match(answers[0]!.headers.get("ratelimit-policy")!, /^"machine"/);
  equal(await limited.statusFor(owner.session), 200);
});

test("the scopes of the store are its services, each to read and to write", async () => {
  const { scopes } = await import("../../api.ts");
  const { contracts } = await import("../../services.ts");
  ok(contracts.some(({ name }) => name === orders.name));
  deepEqual(
    scopes,
    contracts.flatMap(({ name }) => [`${name}:read`, `${name}:write`]),
  );
});
