import { deepEqual, equal } from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { migrationsOf } from "ashlar/service";
import { createTestDatabase } from "ashlar/testing";
import { bearer, password, startIdentity } from "./fixture.ts";
import { identityService } from "./service.ts";

// Two processes of one system: the same database and the same keys, nothing else in common.
const { url } = await createTestDatabase({
  migrations: migrationsOf(identityService({} as Parameters<typeof identityService>[0])),
});
const dataDirectory = await mkdtemp(join(tmpdir(), "ashlar-test-"));
after(() => rm(dataDirectory, { recursive: true, force: true }));
const settings = { databaseUrls: { users: url }, dataDirectory };
const here = await startIdentity({ settings });
const there = await startIdentity({ settings });

test("what ends tokens in one process ends them in the others with their next reading", async () => {
  const boss = await here.register("boss@example.com");
  await here.promote(boss.id);
  const byBoss = bearer(await here.login("boss@example.com"));
  const users = Object.fromEntries(
    await Promise.all(
      ["out", "left", "risen", "changed"].map(async (name) => {
        const { id } = await here.register(`${name}@example.com`);
        return [name, { id, tokens: await here.login(`${name}@example.com`) }] as const;
      }),
    ),
  );
  const { out, left, risen, changed } = users as Record<
    string,
    { id: string; tokens: Awaited<ReturnType<typeof here.login>> }
  >;
  const caller = await here.login("changed@example.com");
  await there.runJob("revocations");
  await here.clock.advance(2_000);
  await there.clock.advance(2_000);

  await here.post("/auth/logout", { refreshToken: out!.tokens.refreshToken });
  await here.request("DELETE", `/v1/users/${left!.id}`, byBoss);
  await here.request("PATCH", `/v1/users/${risen!.id}`, { body: { role: "admin" }, ...byBoss });
  await here.request("PUT", "/v1/users/me/password", {
    body: { currentPassword: password, newPassword: "a wholly different phrase" },
    ...bearer(caller),
  });
  equal(await there.statusFor(out!.tokens), 200);

  await there.runJob("revocations");
  await there.heardEverywhere();
  equal(await there.statusFor(out!.tokens), 401);
  equal(await there.statusFor(left!.tokens), 401);
  equal(await there.statusFor(risen!.tokens, "/v1/users"), 200);
  deepEqual([await there.statusFor(changed!.tokens), await there.statusFor(caller)], [401, 200]);
});

test("a process that starts later reads all that a living access token may meet", async () => {
  await here.register("before@example.com");
  const tokens = await here.login("before@example.com");
  await here.post("/auth/logout", { refreshToken: tokens.refreshToken });
  await here.clock.advance(14 * 60_000);
  const late = await startIdentity({ settings });
  await late.clock.advance(here.clock.nowMs() - late.clock.nowMs());
  await late.runJob("revocations");
  equal(await late.statusFor(tokens), 401);
});
