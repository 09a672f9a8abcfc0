import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { createPasswords, type Passwords } from "ashlar/auth";
import { systemClock } from "ashlar/base";
import { bearer, cheapCost, password, startIdentity, uuidOf } from "./fixture.ts";

const cheap = createPasswords({ clock: systemClock, cost: cheapCost });
const verified: (string | undefined)[] = [];
let beforeAnswer = async (): Promise<void> => {};
/** Notes what was verified, and lets a test put something between the verification and what follows. */
const verify = async (hash: string | undefined, secret: string) => {
  verified.push(hash);
  const result = await cheap.verify(hash, secret);
  await beforeAnswer();
  return result;
};
const passwords: Passwords = { ...cheap, verify, inTurn: (work) => work(verify) };
const api = await startIdentity({ passwords, policy: { sessionsPerUserMax: 5 } });

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());
}

test("a login answers a pair of tokens with the claims of the specification, for no cache to keep", async () => {
  const { id } = await api.register("ann@example.com");
  const answer = await api.post("/auth/login", { email: "ANN@example.com", password });
  equal(answer.status, 200);
  equal(answer.headers.get("cache-control"), "no-store");
  deepEqual([answer.json.tokenType, answer.json.expiresIn], ["Bearer", 900]);
  const access = claimsOf(answer.json.accessToken);
  deepEqual([access.sub, access.email, access.roles], [id, "ann@example.com", ["member"]]);
  equal(Number(access.exp) - Number(access.iat), 900);
  const refresh = claimsOf(answer.json.refreshToken);
  equal(refresh.sub, id);
  match(String(refresh.jti), /^tok_/);
  equal(Number(refresh.exp) - Math.floor(api.clock.nowMs() / 1000), 30 * 24 * 3600);
  equal(await api.statusFor(answer.json), 200);
});

test("L01 unknown, wrong, deleted, unverified and of an old hash are refused alike, for the same work", async () => {
  const known = await api.register("known@example.com");
  await api.sql("update users set email_verified_at = now() where id = $1", [uuidOf(known.id)]);
  await api.register("unverified@example.com");
  const gone = await api.register("gone@example.com");
  await api.request("DELETE", `/v1/users/${gone.id}`, bearer(await api.login("gone@example.com")));
  const aged = await api.register("aged@example.com");
  const old = await createPasswords({ clock: systemClock, cost: { memoryKiB: 32, passes: 1 } }).hash(password);
  await api.sql("update users set password_hash = $2 where id = $1", [uuidOf(aged.id), old]);
  verified.length = 0;
  const answers = [];
  for (const name of ["known", "unverified", "aged", "gone", "unknown"])
    answers.push(await api.post("/auth/login", { email: `${name}@example.com`, password: "not the password" }));
  answers.push(await api.post("/auth/login", { email: "not an email", password: "not the password" }));
  const shown = answers.map(({ status, text, headers }) => [
    status,
    text,
    [...headers].filter(([name]) => name !== "date" && name !== "x-request-id"),
  ]);
  for (const answer of shown) deepEqual(answer, shown[0]);
  deepEqual([answers[0]!.status, answers[0]!.json.error.code], [401, "INVALID_CREDENTIALS"]);
  equal(answers[0]!.headers.get("www-authenticate"), 'Bearer realm="ashlar"');
  deepEqual(
    verified.map((hash) => hash !== undefined),
    [true, true, true, false, false, false],
  );
});

test("a password is compared whole, and however its letters were composed", async () => {
  const long = `${"é".repeat(60)} and then some`;
  await api.register("long@example.com", { password: long });
  equal((await api.post("/auth/login", { email: "long@example.com", password: long.normalize("NFD") })).status, 200);
  equal((await api.post("/auth/login", { email: "long@example.com", password: `${long.slice(0, -1)}x` })).status, 401);
});

test("L04 a hash of other parameters is made anew by a login; of two at once both succeed", async () => {
  const { id } = await api.register("old@example.com");
  const old = await createPasswords({ clock: systemClock, cost: { memoryKiB: 32, passes: 1 } }).hash(password);
  await api.sql("update users set password_hash = $2 where id = $1", [uuidOf(id), old]);
  const answers = await Promise.all(
    [1, 2, 3].map(() => api.post("/auth/login", { email: "old@example.com", password })),
  );
  deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  );
  const [row] = await api.sql("select password_hash, version from users where id = $1", [uuidOf(id)]);
  match(String(row!.password_hash), /m=64,t=1/);
  equal(row!.version, 1);
});

test("a login that verified the old password opens nothing once the password has changed", async () => {
  const { id } = await api.register("raced@example.com");
  const other = await cheap.hash("another password");
  beforeAnswer = async () =>
    void (await api.sql("update users set password_hash = $2 where id = $1", [uuidOf(id), other]));
  const answer = await api.post("/auth/login", { email: "raced@example.com", password });
  beforeAnswer = async () => {};
  equal(answer.status, 401);
  equal((await api.sql("select id from sessions where user_id = $1", [uuidOf(id)])).length, 0);
});

test("R10 every login opens a session of its own; beyond the limit the least recently used one ends", async () => {
  const { id } = await api.register("many@example.com");
  const logins = [];
  for (let count = 0; count < 6; count++) {
    logins.push(await api.login("many@example.com"));
    await api.clock.advance(1_000);
  }
  const sids = new Set(logins.map(({ accessToken }) => claimsOf(accessToken).sid));
  equal(sids.size, 6);
  deepEqual(await Promise.all(logins.map((tokens) => api.statusFor(tokens))), [401, 200, 200, 200, 200, 200]);
  const list = await api.request("GET", `/v1/users/${id}/sessions`, bearer(logins[5]!));
  equal(list.json.pagination.total, 5);
});

test("R11 logging out ends the session and its access tokens, and is a 204 every time", async () => {
  await api.register("out@example.com");
  const tokens = await api.login("out@example.com");
  const stays = await api.login("out@example.com");
  equal((await api.post("/auth/logout", { refreshToken: tokens.refreshToken })).status, 204);
  equal(await api.statusFor(tokens), 401);
  equal((await api.refresh(tokens.refreshToken)).status, 401);
  equal((await api.post("/auth/logout", { refreshToken: tokens.refreshToken })).status, 204);
  equal((await api.post("/auth/logout", { refreshToken: "nonsense" })).status, 204);
  equal((await api.post("/auth/logout", { refreshToken: stays.accessToken })).status, 204);
  equal(await api.statusFor(stays), 200);
});

test("an earlier token of a session logs it out as well", async () => {
  await api.register("early@example.com");
  const first = await api.login("early@example.com");
  const second = (await api.refresh(first.refreshToken)).json;
  equal((await api.post("/auth/logout", { refreshToken: first.refreshToken })).status, 204);
  equal((await api.refresh(second.refreshToken)).status, 401);
});

test("R15 sessions are listed and ended by their owner, and are not there for others", async () => {
  const { id } = await api.register("lists@example.com");
  const [here, there] = [await api.login("lists@example.com"), await api.login("lists@example.com")];
  const list = await api.request("GET", "/v1/users/me/sessions", bearer(here));
  equal(list.json.data.length, 2);
  deepEqual(Object.keys(list.json.data[0]).toSorted(), [
    "createdAt",
    "id",
    "lastUsedAt",
    "updatedAt",
    "userAgent",
    "userId",
    "version",
  ]);
  const thereId = String(claimsOf(there.accessToken).sid);
  await api.register("stranger@example.com");
  const stranger = bearer(await api.login("stranger@example.com"));
  equal((await api.request("DELETE", `/v1/users/${id}/sessions/${thereId}`, stranger)).status, 404);
  equal((await api.request("DELETE", `/v1/users/me/sessions/${thereId}`, stranger)).status, 404);
  equal(await api.statusFor(there), 200);
  equal((await api.request("DELETE", `/v1/users/${id}/sessions/${thereId}`, bearer(here))).status, 204);
  deepEqual([await api.statusFor(there), await api.statusFor(here)], [401, 200]);
  equal((await api.request("DELETE", `/v1/users/${id}/sessions/${thereId}`, bearer(here))).status, 404);
  equal((await api.request("GET", "/v1/users/me/sessions", bearer(here))).json.data.length, 1);
  notEqual(thereId, "");
  ok(list.text.includes(thereId));
});
