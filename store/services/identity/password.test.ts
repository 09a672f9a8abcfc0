import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { bearer, password, startIdentity, uuidOf } from "./fixture.ts";

const api = await startIdentity();
const newPassword = "a wholly different phrase";

test("changing the password ends all other sessions, keeps the caller's, and counts from then on", async () => {
  const { id } = await api.register("ann@example.com");
  const [here, there] = [await api.login("ann@example.com"), await api.login("ann@example.com")];
  const answer = await api.request("PUT", `/v1/users/${id}/password`, {
    body: { currentPassword: password, newPassword },
    ...bearer(here),
  });
  deepEqual([answer.status, answer.text], [204, ""]);
  deepEqual([await api.statusFor(here), await api.statusFor(there)], [200, 401]);
  equal((await api.refresh(there.refreshToken)).status, 401);
  equal((await api.refresh(here.refreshToken)).status, 200);
  equal((await api.post("/auth/login", { email: "ann@example.com", password })).status, 401);
  ok(await api.login("ann@example.com", newPassword));
  equal((await api.request("GET", `/v1/users/${id}`, bearer(here))).json.version, 1);
});

test("L13 without the current password it is refused: 403 when wrong, 400 when missing", async () => {
  await api.register("ben@example.com");
  const by = bearer(await api.login("ben@example.com"));
  const wrong = await api.request("PUT", "/v1/users/me/password", {
    body: { currentPassword: "not the password", newPassword },
    ...by,
  });
  deepEqual(
    [wrong.status, wrong.json.error.code, wrong.json.error.details[0].field],
    [403, "WRONG_PASSWORD", "currentPassword"],
  );
  const missing = await api.request("PUT", "/v1/users/me/password", { body: { newPassword }, ...by });
  deepEqual([missing.status, missing.json.error.details[0].field], [400, "currentPassword"]);
  ok(await api.login("ben@example.com"));
});

test("L13 a token of a session that has ended changes no password", async () => {
  await api.register("stale@example.com");
  const tokens = await api.login("stale@example.com");
  await api.post("/auth/logout", { refreshToken: tokens.refreshToken });
  const body = { currentPassword: password, newPassword };
  equal((await api.request("PUT", "/v1/users/me/password", { body, ...bearer(tokens) })).status, 401);
  equal((await api.request("PUT", "/v1/users/me/password", { body })).status, 401);
  ok(await api.login("stale@example.com"));
});

test("a new password that would be guessed is a 400 that names it", async () => {
  await api.register("cleo@example.com");
  const by = bearer(await api.login("cleo@example.com"));
  const answer = await api.request("PUT", "/v1/users/me/password", {
    body: { currentPassword: password, newPassword: "password123" },
    ...by,
  });
  deepEqual([answer.status, answer.json.error.details[0].field], [400, "newPassword"]);
});

test("nobody changes somebody else's password, admins included", async () => {
  const { id } = await api.register("dora@example.com");
  const admin = await api.register("admin@example.com");
  await api.promote(admin.id);
  const by = bearer(await api.login("admin@example.com"));
  equal(
    (await api.request("PUT", `/v1/users/${id}/password`, { body: { currentPassword: password, newPassword }, ...by }))
      .status,
    404,
  );
});

test("of two changes at once one counts, and only that one", async () => {
  const { id } = await api.register("eve@example.com");
  const by = bearer(await api.login("eve@example.com"));
  const wanted = ["first of two phrases", "second of two phrases"];
  const answers = await Promise.all(
    wanted.map((one) =>
      api.request("PUT", "/v1/users/me/password", { body: { currentPassword: password, newPassword: one }, ...by }),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  equal(statuses.filter((status) => status === 204).length, 1);
  ok(statuses.some((status) => status === 409 || status === 403));
  ok(await api.login("eve@example.com", wanted[statuses.indexOf(204)]));
  equal((await api.sql("select id from sessions where user_id = $1 and deleted_at is null", [uuidOf(id)])).length, 2);
});
