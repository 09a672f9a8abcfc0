// Security events: that each is logged under its name, and says who asked, from where, when, in which request.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore, password } from "./fixture.ts";
import { captureLog } from "./log.ts";

const log = captureLog("info");
const store = await openStore({
  log: log.logger,
  settings: {
    limits: { default: "off", anonymous: "off", machine: "off", auth: { maxRequests: 100, windowMs: 1_000 } },
  },
});
const { request } = store;

/** The security events that `act` causes, without what every line has. */
async function eventsOf(act: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
  const before = log.lines().length;
  await act();
  const found = log
    .lines()
    .slice(before)
    .filter(({ security }) => security !== undefined);
  for (const { time, requestId, address } of found) {
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.match(String(requestId), /^[\w.-]+$/);
    assert.equal(address, "127.0.0.1");
  }
  return found.map(({ time: _time, requestId: _id, address: _address, service: _service, ...rest }) => rest);
}

const sessionsOf = async (userId: string): Promise<string[]> => {
  const { authorization } = await store.admin();
  const { json } = await request("GET", `/v1/users/${userId}/sessions`, { authorization });
  return json.data.map(({ id }: { id: string }) => id);
};

test("S03 a sign-in is an event of its account, accepted or refused, and an unknown account is not named", async () => {
  const { id, email } = await store.person();
  const [signedIn, ...more] = await eventsOf(() => store.signIn(email));
  const { sessionId, ...rest } = signedIn!;
  assert.deepEqual([rest, more], [{ level: "info", security: "signed_in", userId: id, msg: "Signed in" }, []]);
  assert.ok((await sessionsOf(id)).includes(String(sessionId)));
  const refused = { level: "warn", security: "sign_in_refused", msg: "A sign-in was refused" };
  const tryWith = (who: string, secret: string) =>
    eventsOf(() => request("POST", "/auth/login", { body: { email: who, password: secret } }));
  assert.deepEqual(await tryWith(email, "not it"), [{ ...refused, userId: id }]);
  assert.deepEqual(await tryWith("nobody@example.com", password), [refused]);
});

test("S03 the reuse of a refresh token and a logout are events of their session", async () => {
  const person = await store.person();
  const [sessionId] = await sessionsOf(person.id);
  const refresh = (refreshToken: string) => request("POST", "/auth/refresh", { body: { refreshToken } });
  const second = (await refresh(person.refreshToken)).json.refreshToken;
  assert.equal((await refresh(second)).status, 200);
  const reused = await eventsOf(() => refresh(person.refreshToken));
  assert.deepEqual(
    reused.map(({ security, userId, sessionId: session }) => [security, userId, session]),
    [
      ["refresh_token_reused", person.id, sessionId],
      ["token_refused", undefined, undefined],
    ],
  );
  const { refreshToken } = await store.signIn(person.email);
  const [signedOut] = await eventsOf(() => request("POST", "/auth/logout", { body: { refreshToken } }));
  assert.deepEqual([signedOut?.security, signedOut?.userId], ["signed_out", person.id]);
});

test("S03 a refused token is an event that says why, and a visitor without one is none", async () => {
  const { authorization } = await store.person();
  const ask = (as: string) => eventsOf(() => request("GET", "/v1/users/me", { authorization: as }));
  const [refused] = await ask(`${authorization.slice(0, -4)}AAAA`);
  assert.deepEqual(
    [refused?.security, refused?.level, refused?.code, refused?.reason],
    ["token_refused", "warn", "UNAUTHENTICATED", "signature verification failed"],
  );
  assert.deepEqual(await eventsOf(() => request("GET", "/v1/users/me")), []);
  assert.deepEqual(await ask(authorization), []);
});

test("S03 who asks for what they may not do is an event of theirs, and of their key when they are a machine", async () => {
  const person = await store.person();
  const [refused] = await eventsOf(() => request("GET", "/v1/users", { authorization: person.authorization }));
  assert.deepEqual(
    [refused?.security, refused?.userId, refused?.sessionId],
    ["access_refused", person.id, (await sessionsOf(person.id))[0]],
  );
  const key = await store.apiKey(person, ["catalog:read"]);
  const [machine] = await eventsOf(() => request("GET", "/v1/users/me", { authorization: key }));
  assert.deepEqual([machine?.security, machine?.userId], ["access_refused", person.id]);
  assert.match(String(machine?.sessionId), /^key_/);
});

test("S03 changes of roles, passwords and API keys are events of who made them", async () => {
  const [admin, person] = [await store.admin(), await store.person()];
  const summary = async (act: () => Promise<unknown>) =>
    (await eventsOf(act)).map(({ security, userId, about }) => [security, userId, about]);
  const patch = { authorization: admin.authorization, body: { role: "admin" } };
  assert.deepEqual(await summary(() => request("PATCH", `/v1/users/${person.id}`, patch)), [
    ["roles_changed", admin.id, person.id],
  ]);
  const change = (currentPassword: string) =>
    request("PUT", `/v1/users/${person.id}/password`, {
      authorization: person.authorization,
      body: { currentPassword, newPassword: "another long one" },
    });
  assert.deepEqual(await summary(() => change("wrong")), [
    ["password_change_refused", person.id, undefined],
    ["access_refused", person.id, undefined],
  ]);
  assert.deepEqual(await summary(() => change(password)), [["password_changed", person.id, undefined]]);
  const keys = `/v1/users/${person.id}/api-keys`;
  const { authorization } = person;
  const make = () => request("POST", keys, { authorization, body: { name: "x", scopes: ["orders:read"] } });
  assert.deepEqual(await summary(make), [["api_key_made", person.id, undefined]]);
  const { id } = (await request("GET", keys, { authorization })).json.data[0];
  assert.deepEqual(await summary(() => request("DELETE", `${keys}/${id}`, { authorization })), [
    ["api_key_deleted", person.id, person.id],
  ]);
});

test("S03 a limit that was reached is an event, once for each request over it", async () => {
  const body = { refreshToken: "x" };
  const events = await eventsOf(async () => {
    while ((await request("POST", "/auth/logout", { body })).status !== 429);
  });
  assert.deepEqual(
    events.map(({ security, code }) => [security, code]),
    [["limit_reached", "RATE_LIMITED"]],
  );
});
