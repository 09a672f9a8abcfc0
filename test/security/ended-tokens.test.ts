// Tokens that were good: what ends them, on every service at once; and where a token may stand in a request.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openKeys } from "ashlar/auth";
import { systemRandom } from "ashlar/base";
import { openStore, password, type Person } from "./fixture.ts";

const store = await openStore();
const { request } = store;

/** What identity, orders and catalog answer to a token: 200, 200 and 400 or 403 while it is good. */
async function answersTo({ authorization }: Pick<Person, "authorization">): Promise<number[]> {
  const answers = [
    await request("GET", "/v1/users/me", { authorization }),
    await request("GET", "/v1/orders", { authorization }),
    await request("POST", "/v1/products", { authorization, body: {} }),
  ];
  return answers.map(({ status }) => status);
}

test("J15 after a logout the access token of the session is refused by every service, at once", async () => {
  const person = await store.person();
  const elsewhere = { ...person, ...(await store.signIn(person.email)) };
  assert.deepEqual(await answersTo(person), [200, 200, 403]);
  await request("POST", "/auth/logout", { body: { refreshToken: person.refreshToken } });
  await store.heardEverywhere();
  assert.deepEqual(await answersTo(person), [401, 401, 401]);
  assert.deepEqual(await answersTo(elsewhere), [200, 200, 403]);
});

test("J15 after a change of password the tokens of the other sessions are refused by every service", async () => {
  const person = await store.person();
  const thief = { ...person, ...(await store.signIn(person.email)) };
  assert.deepEqual(await answersTo(thief), [200, 200, 403]);
  const body = { currentPassword: password, newPassword: "another long one" };
  await request("PUT", `/v1/users/${person.id}/password`, { authorization: person.authorization, body });
  await store.heardEverywhere();
  assert.deepEqual(
    [await answersTo(thief), await answersTo(person)],
    [
      [401, 401, 401],
      [200, 200, 403],
    ],
  );
});

test("J15 after a user was deleted, by themselves or by an admin, their tokens are refused by every service", async () => {
  const admin = await store.admin();
  for (const by of [undefined, admin]) {
    const person = await store.person();
    const { authorization } = by ?? person;
    assert.equal((await request("DELETE", `/v1/users/${person.id}`, { authorization })).status, 204);
    await store.heardEverywhere();
    assert.deepEqual(await answersTo(person), [401, 401, 401]);
  }
});

test("J16 a role that was taken away is gone from tokens that carry it, on every service, at once", async () => {
  const [admin, other] = [await store.admin(), await store.admin()];
  assert.deepEqual(await answersTo(other), [200, 200, 400]);
  const { authorization } = admin;
  await request("PATCH", `/v1/users/${other.id}`, { authorization, body: { role: "member" } });
  await store.heardEverywhere();
  assert.deepEqual(await answersTo(other), [200, 200, 403]);
  assert.equal((await request("GET", "/v1/users", { authorization: other.authorization })).status, 403);
});

test("J17 a token stands in one Authorization header, after the word bearer in any case, and nowhere else", async () => {
  const { accessToken } = await store.person();
  const head = "GET /v1/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  const statusOf = async (lines: string) => Number((await store.raw(`${head}${lines}\r\n`)).split(" ")[1]);
  for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"])
    assert.equal(await statusOf(`Authorization: ${scheme} ${accessToken}\r\n`), 200, scheme);
  const line = `Authorization: Bearer ${accessToken}\r\n`;
  assert.equal(await statusOf(line + line), 400);
  assert.equal(await statusOf(`${line}authorization: Bearer x\r\n`), 400);
  for (const other of [`Cookie: token=${accessToken}`, `X-Access-Token: ${accessToken}`, `Proxy-${line.trim()}`])
    assert.equal(await statusOf(`${other}\r\n`), 401, other);
  const refused = await request("GET", `/v1/users/me?access_token=${accessToken}`);
  assert.deepEqual([refused.status, refused.text.includes(accessToken)], [401, false]);
});

test("J18 tokens of the old key pass during the overlap and are refused by every service after it", async () => {
  // Two minutes of deliveries and jobs would only take time.
  for (const service of store.system.services.values()) await service.stop();
  const { clock, dataDirectory } = store;
  const person = await store.person();
  const keys = await openKeys({ directory: dataDirectory, clock, random: systemRandom });
  const [old] = (await keys.jwks()).keys;
  await keys.rotate();
  // The store sees the new key within 30 seconds, and signs with it a minute after it was made.
  await clock.advance(61_000);
  const fresh = { ...person, ...(await store.signIn(person.email)) };
  const kidOf = ({ accessToken }: Person) =>
    JSON.parse(Buffer.from(accessToken.split(".")[0]!, "base64url").toString()).kid;
  assert.deepEqual([kidOf(person) === old!.kid, kidOf(fresh) === old!.kid], [true, false]);
  assert.deepEqual(
    [await answersTo(person), await answersTo(fresh)],
    [
      [200, 200, 403],
      [200, 200, 403],
    ],
  );
  await keys.retire(old!.kid!);
  await clock.advance(30_000);
  assert.deepEqual(
    [await answersTo(person), await answersTo(fresh)],
    [
      [401, 401, 401],
      [200, 200, 403],
    ],
  );
});
