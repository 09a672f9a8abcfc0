import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { bearer, startIdentity, uuidOf } from "./fixture.ts";

const api = await startIdentity();
const dayMs = 24 * 60 * 60_000;

async function counts(id: string): Promise<unknown> {
  const [row] = await api.sql(
    `select count(*) filter (where deleted_at is null) as living, count(*) filter (where deleted_at is not null) as ended,
       (select count(*) from refresh_tokens t join sessions s on s.id = t.session_id where s.user_id = $1) as tokens
     from sessions where user_id = $1`,
    [uuidOf(id)],
  );
  return row;
}

test("an expired session ends, and is removed once no access token of it can live", async () => {
  const { id } = await api.register("ann@example.com");
  const tokens = await api.login("ann@example.com");
  await api.refresh(tokens.refreshToken);
  await api.clock.advance(30 * dayMs - 1);
  await api.runJob("sessions");
  deepEqual(await counts(id), { living: 1, ended: 0, tokens: 2 });
  await api.clock.advance(1);
  await api.runJob("sessions");
  deepEqual(await counts(id), { living: 0, ended: 1, tokens: 2 });
  const again = await api.login("ann@example.com");
  equal((await api.request("GET", "/v1/users/me/sessions", bearer(again))).json.data.length, 1);
  await api.clock.advance(18 * 60_000);
  await api.runJob("sessions");
  deepEqual(await counts(id), { living: 1, ended: 0, tokens: 1 });
});

test("superseded tokens go when they have expired themselves; the session goes on", async () => {
  const { id } = await api.register("ben@example.com");
  let { refreshToken } = await api.login("ben@example.com");
  for (let times = 0; times < 3; times++) {
    ({ refreshToken } = (await api.refresh(refreshToken)).json);
    await api.clock.advance(15 * dayMs);
  }
  await api.runJob("sessions");
  deepEqual(await counts(id), { living: 1, ended: 0, tokens: 2 });
  equal((await api.refresh(refreshToken)).status, 200);
});
