import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { bearer, password, startIdentity, uuidOf } from "./fixture.ts";

const api = await startIdentity();
const dayMs = 24 * 60 * 60_000;

async function signedIn(email: string) {
  const { id } = await api.register(email);
  return { id, tokens: await api.login(email) };
}

/** The tokens of a user's sessions, as rows. */
function tokenRows(id: string) {
  return api.sql("select t.* from refresh_tokens t join sessions s on s.id = t.session_id where s.user_id = $1", [
    uuidOf(id),
  ]);
}

test("a refresh answers a new pair and marks the session as used", async () => {
  const { tokens } = await signedIn("ann@example.com");
  await api.clock.advance(60_000);
  const answer = await api.refresh(tokens.refreshToken);
  equal(answer.status, 200);
  notEqual(answer.json.refreshToken, tokens.refreshToken);
  equal(await api.statusFor(answer.json), 200);
  const [session] = (await api.request("GET", "/v1/users/me/sessions", bearer(answer.json))).json.data;
  equal(Date.parse(session.lastUsedAt) - Date.parse(session.createdAt), 60_000);
});

test("R01 of 64 refreshes with one token at once all get the same successor, and there is one", async () => {
  const { id, tokens } = await signedIn("race@example.com");
  let current = tokens.refreshToken;
  // The first round opens the connections; only from then on do transactions truly overlap.
  for (const round of [1, 2, 3]) {
    const answers = await Promise.all(Array.from({ length: 64 }, () => api.refresh(current)));
    deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    equal(new Set(answers.map(({ json }) => json.refreshToken)).size, 1);
    equal((await tokenRows(id)).length, round + 1);
    current = answers[0]!.json.refreshToken;
  }
});

test("R02 R03 a retry up to ten seconds later gets the same successor; one after that ends the session and every token of it", async () => {
  const { tokens } = await signedIn("retry@example.com");
  const first = await api.refresh(tokens.refreshToken);
  await api.clock.advance(10_000);
  const retried = await api.refresh(tokens.refreshToken);
  equal(retried.json.refreshToken, first.json.refreshToken);
  equal(await api.statusFor(retried.json), 200);
  await api.clock.advance(1);
  const reused = await api.refresh(tokens.refreshToken);
  equal(reused.status, 401);
  equal(reused.json.error.code, "UNAUTHENTICATED");
  equal(reused.headers.get("www-authenticate"), 'Bearer realm="ashlar", error="invalid_token"');
  equal((await api.refresh(first.json.refreshToken)).status, 401);
  deepEqual([await api.statusFor(tokens), await api.statusFor(retried.json)], [401, 401]);
});

test("R04 a retry after the successor was used is reuse, however soon", async () => {
  const { tokens } = await signedIn("grand@example.com");
  const child = (await api.refresh(tokens.refreshToken)).json;
  const grandchild = (await api.refresh(child.refreshToken)).json;
  equal((await api.refresh(tokens.refreshToken)).status, 401);
  equal((await api.refresh(grandchild.refreshToken)).status, 401);
  equal(await api.statusFor(grandchild), 401);
});

test("R05 a successor that is made while its family ends is dead too", async () => {
  const { id, tokens } = await signedIn("late@example.com");
  const child = (await api.refresh(tokens.refreshToken)).json;
  await api.clock.advance(10_001);
  // The thief's replay of the parent and the owner's refresh of the child, in whatever order they arrive.
  const [replay, late] = await Promise.all([api.refresh(tokens.refreshToken), api.refresh(child.refreshToken)]);
  equal(replay.status, 401);
  if (late.status === 200) equal((await api.refresh(late.json.refreshToken)).status, 401);
  const living = await api.sql("select id from sessions where user_id = $1 and deleted_at is null", [uuidOf(id)]);
  equal(living.length, 0);
});

test("R05 a refresh that waits behind the end of its session is refused", async () => {
  const { id, tokens } = await signedIn("waits@example.com");
  const { database } = api.system.services.get("identity")!.parts;
  let refreshing: ReturnType<typeof api.refresh> | undefined;
  await database.transaction(async (tx) => {
    await tx.query("update sessions set deleted_at = now() where user_id = $1", [uuidOf(id)]);
    refreshing = api.refresh(tokens.refreshToken);
    await waitForLock();
  });
  equal((await refreshing!).status, 401);
  equal((await tokenRows(id)).length, 1);
});

/** Resolves once some statement of this database waits for a lock. */
async function waitForLock(): Promise<void> {
  const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  while ((await api.sql(waiting)).length === 0);
}

test("R08 no refresh leads beyond the absolute life of a session", async () => {
  const { tokens } = await signedIn("long@example.com");
  let current = tokens.refreshToken;
  for (let day = 0; day < 89; day += 20) {
    const answer = await api.refresh(current);
    equal(answer.status, 200, `day ${day}`);
    current = answer.json.refreshToken;
    await api.clock.advance(20 * dayMs);
  }
  equal((await api.refresh(current)).status, 401);
});

test("a token that was not used for thirty days is refused", async () => {
  const { tokens } = await signedIn("idle@example.com");
  await api.clock.advance(30 * dayMs);
  equal((await api.refresh(tokens.refreshToken)).status, 401);
});

test("what is no refresh token of a session is refused alike: an access token, a forged one, one of a purged session", async () => {
  const { id, tokens } = await signedIn("forged@example.com");
  const forged = `${tokens.refreshToken.slice(0, -4)}AAAA`;
  const answers = [await api.refresh(tokens.accessToken), await api.refresh(forged), await api.refresh("x")];
  await api.sql("delete from sessions where user_id = $1", [uuidOf(id)]);
  answers.push(await api.refresh(tokens.refreshToken));
  for (const answer of answers) deepEqual([answer.status, answer.text], [401, answers[0]!.text]);
});

test("R09 the database holds hashes of refresh tokens and nothing that could be presented", async () => {
  const { id, tokens } = await signedIn("hash@example.com");
  const { refreshToken } = (await api.refresh(tokens.refreshToken)).json;
  const rows = JSON.stringify([await tokenRows(id), await api.sql("select * from sessions")]);
  for (const token of [tokens.refreshToken, refreshToken]) {
    for (const part of token.split(".")) ok(!rows.includes(part));
  }
});

test("a new access token carries the roles and the email of now", async () => {
  const { id, tokens } = await signedIn("fresh@example.com");
  await api.sql("update users set roles = '{admin}', email = 'fresher@example.com' where id = $1", [uuidOf(id)]);
  const { accessToken } = (await api.refresh(tokens.refreshToken)).json;
  const claims = JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url").toString());
  deepEqual([claims.email, claims.roles], ["fresher@example.com", ["admin"]]);
});

test("R06 once a family has ended, none of a thousand uses of its members succeeds", async () => {
  const { tokens } = await signedIn("ended@example.com");
  const family = [tokens.refreshToken];
  for (let count = 0; count < 4; count++) family.push((await api.refresh(family.at(-1)!)).json.refreshToken);
  equal((await api.refresh(family[0]!)).status, 401);
  const statuses = new Set<number>();
  for (let round = 0; round < 20; round++) {
    const uses = Array.from({ length: 50 }, (_, index) => api.refresh(family[index % family.length]!));
    for (const { status } of await Promise.all(uses)) statuses.add(status);
  }
  deepEqual([...statuses], [401]);
});

test("R07 who was deleted, or whose password was changed or reset elsewhere, refreshes no more", async () => {
  const ends = {
    deleted: (by: string, _email: string) => api.request("DELETE", "/v1/users/me", { authorization: by }),
    changed: (by: string, _email: string) =>
      api.request("PUT", "/v1/users/me/password", {
        authorization: by,
        body: { currentPassword: password, newPassword: "a wholly different phrase" },
      }),
    async reset(_by: string, email: string) {
      await api.clock.advance(1);
      await api.post("/auth/password/forgot", { email });
      await api.runJob("resetRequests");
      const { token } = (await api.mailsTo(email)).at(-1)!;
      return api.post("/auth/password/reset", { token, newPassword: "a wholly different phrase" });
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    const { tokens } = await signedIn(`${name}@example.com`);
    const elsewhere = await api.login(`${name}@example.com`);
    equal((await end(bearer(elsewhere).authorization, `${name}@example.com`)).status, 204, name);
    equal((await api.refresh(tokens.refreshToken)).status, 401, name);
    equal(await api.statusFor(tokens), 401, name);
  }
});

test("R14 nothing is known of who sends no Authorization, and no answer sets a cookie", async () => {
  const { tokens } = await signedIn("cookie@example.com");
  const headers = { cookie: `session=${tokens.accessToken}; refreshToken=${tokens.refreshToken}` };
  const answers = [
    await api.request("GET", "/v1/users/me", { headers }),
    await api.post("/auth/refresh", { refreshToken: tokens.refreshToken }, { headers }),
    await api.post("/auth/login", { email: "cookie@example.com", password }, { headers }),
    await api.post("/auth/logout", { refreshToken: tokens.refreshToken }, { headers }),
  ];
  deepEqual(
    answers.map(({ status, headers }) => [status, headers.get("set-cookie")]),
    [401, 200, 200, 204].map((status) => [status, null]),
  );
});
