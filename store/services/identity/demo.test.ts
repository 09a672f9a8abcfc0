import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { createPasswords } from "ashlar/auth";
import { systemClock } from "ashlar/base";
import { seedUsers, usersWithPassword } from "./demo.ts";
import { bearer, cheapCost, startIdentity } from "./fixture.ts";

const password = "ashlar-demo";

test("demo users are registered once, announced, and can sign in with the given password", async () => {
  const api = await startIdentity();
  const passwords = createPasswords({ clock: systemClock, cost: cheapCost });
  const seed = () => seedUsers(api.system.services.get("identity")!.contextFor("demo data"), { passwords, password });
  const [first, alongside] = await Promise.all([seed(), seed()]);
  equal(first.size, 8);
  deepEqual(alongside, first);
  deepEqual(await seed(), first);
  const events = await api.sql("select aggregate_id from ashlar.outbox where type = 'user.registered'");
  deepEqual(new Set(events.map((event) => event.aggregate_id)), new Set(first.values()));
  equal(events.length, 8);

  const admin = bearer(await api.login("admin@example.com", password));
  equal((await api.request("GET", "/v1/users?role=admin", admin)).json.pagination.total, 1);
  const member = await api.login("member@example.com", password);
  equal(await api.statusFor(member, "/v1/users"), 403);

  await api.request("DELETE", "/v1/users/me", bearer(member));
  equal((await seed()).size, 7);
});

test("S10 the demo users are found whose password anybody knows still, and nobody else who took their address", async () => {
  const api = await startIdentity();
  const passwords = createPasswords({ clock: systemClock, cost: cheapCost });
  const contextFor = () => api.system.services.get("identity")!.contextFor("demo data");
  const found = () => usersWithPassword(contextFor(), { passwords, password });
  await api.register("mei.tanaka@example.com");
  deepEqual(await found(), []);
  const ids = await seedUsers(contextFor(), { passwords, password });
  equal((await found()).length, 7);

  const admin = bearer(await api.login("admin@example.com", password));
  const body = { currentPassword: password, newPassword: "correct horse battery" };
  const change = await api.request("PUT", `/v1/users/${ids.get("admin@example.com")}/password`, { ...admin, body });
  equal(change.status, 204);
  await api.request("DELETE", "/v1/users/me", bearer(await api.login("member@example.com", password)));
  deepEqual(
    (await found()).map((email) => email.split("@")[0]),
    ["ines.okafor", "jonas.lindqvist", "rafael.souza", "sofia.kowalska", "tariq.haddad"],
  );
});
