import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { bearer, password, startIdentity, uuidOf } from "./fixture.ts";

const api = await startIdentity();

test("registering answers the user without any trace of the password, and announces it", async () => {
  const answer = await api.post("/v1/users", { email: "New.Person@Example.com", name: "New Person", password });
  equal(answer.status, 201);
  equal(answer.headers.get("location"), `/v1/users/${answer.json.id}`);
  deepEqual(Object.keys(answer.json).toSorted(), [
    "createdAt",
    "email",
    "emailVerifiedAt",
    "id",
    "name",
    "role",
    "updatedAt",
    "version",
  ]);
  equal(answer.json.email, "New.Person@Example.com");
  equal(answer.json.role, "member");
  equal(answer.json.emailVerifiedAt, null);
  const [row] = await api.sql("select password_hash from users where id = $1", [uuidOf(answer.json.id)]);
  match(String(row!.password_hash), /^\$argon2id\$v=19\$/);
  const [event] = await api.sql("select type, data from ashlar.outbox where aggregate_id = $1", [answer.json.id]);
  equal(event!.type, "user.registered");
  ok(!JSON.stringify(event).includes("assword"));
});

test("a password that would be guessed is a 400 that names the property", async () => {
  for (const weak of ["password1", "aaaaaaaaaa", "weak.person", "1234567"]) {
    const answer = await api.post("/v1/users", { email: "weak.person@example.com", name: "Weak", password: weak });
    equal(answer.status, 400, weak);
    equal(answer.json.error.code, "VALIDATION_ERROR");
    deepEqual(
      answer.json.error.details.map(({ field }: { field: string }) => field),
      ["password"],
    );
  }
});

test("an email is taken whatever its case, for registering and for changing to it", async () => {
  await api.register("taken@example.com");
  const answer = await api.post("/v1/users", { email: "TAKEN@Example.com", name: "Other", password });
  equal(answer.status, 409);
  equal(answer.json.error.code, "DUPLICATE");
  equal(answer.json.error.details[0].field, "email");
  const { id } = await api.register("second@example.com");
  const changed = await api.request("PATCH", `/v1/users/${id}`, {
    body: { email: "Taken@example.com" },
    ...bearer(await api.login("second@example.com")),
  });
  equal(changed.status, 409);
});

test("L15 no spelling of somebody's email makes an account that takes theirs over", async () => {
  const { id } = await api.register("victim@example.com");
  const spellings: [email: string, status: number][] = [
    ["VICTIM@example.com", 409],
    ["victim@EXAMPLE.com", 409],
    ["victim@example.com.", 400],
    [" victim@example.com", 400],
    ["victim@example.com\u0000", 400],
    ["victim\u0000@example.com", 400],
    ["v\u0456ctim@example.com", 400],
    ["victim@ex\u0430mple.com", 400],
    ["victim@example.com\n", 400],
    ["\uff56ictim@example.com", 400],
    ["victim+tag@example.com", 201],
  ];
  for (const [email, status] of spellings) {
    const answer = await api.post("/v1/users", { email, name: "Thief", password: "the thief's own phrase" });
    equal(answer.status, status, JSON.stringify(email));
  }
  const thief = await api.post("/auth/login", { email: "victim@example.com", password: "the thief's own phrase" });
  equal(thief.status, 401);
  const { accessToken } = await api.login("Victim@Example.com");
  equal((await api.request("GET", "/v1/users/me", { authorization: `Bearer ${accessToken}` })).json.id, id);
});

test("of many registrations of one email at once, one is answered 201 and the others 409", async () => {
  const spellings = ["race@example.com", "Race@example.com", "RACE@EXAMPLE.COM", "race@Example.com"];
  const answers = await Promise.all(
    spellings.map((email) => api.post("/v1/users", { email, name: "Racer", password })),
  );
  deepEqual(answers.map(({ status }) => status).toSorted(), [201, 409, 409, 409]);
  equal((await api.sql("select id from users where lower(email) = 'race@example.com'")).length, 1);
});

test("a repeated registration with the same Idempotency-Key is answered from its record", async () => {
  const headers = { "idempotency-key": "registration-1" };
  const body = { email: "twice@example.com", name: "Twice", password };
  const first = await api.post("/v1/users", body, { headers });
  const second = await api.post("/v1/users", body, { headers });
  deepEqual([second.status, second.text, second.headers.get("idempotent-replayed")], [201, first.text, "true"]);
});

test("another email is not verified, the same one stays verified", async () => {
  const { id } = await api.register("verified@example.com");
  await api.sql("update users set email_verified_at = now() where id = $1", [uuidOf(id)]);
  const by = bearer(await api.login("verified@example.com"));
  const renamed = await api.request("PATCH", `/v1/users/${id}`, {
    body: { name: "Renamed", email: "verified@example.com" },
    ...by,
  });
  ok(renamed.json.emailVerifiedAt !== null);
  const moved = await api.request("PUT", `/v1/users/${id}`, {
    body: { name: "Renamed", email: "moved@example.com" },
    ...by,
  });
  deepEqual([moved.status, moved.json.email, moved.json.emailVerifiedAt], [200, "moved@example.com", null]);
});

test("a member may not change roles, not even their own; leaving them out changes none", async () => {
  const { id } = await api.register("climber@example.com");
  const by = bearer(await api.login("climber@example.com"));
  equal((await api.request("PATCH", `/v1/users/${id}`, { body: { role: "admin" }, ...by })).status, 403);
  equal((await api.request("PATCH", `/v2/users/${id}`, { body: { roles: ["admin"] }, ...by })).status, 403);
  equal(
    (
      await api.request("PUT", `/v1/users/${id}`, {
        body: { name: "C", email: "climber@example.com", role: "admin" },
        ...by,
      })
    ).status,
    403,
  );
  equal((await api.post("/v1/users", { email: "x@example.com", name: "X", password, role: "admin" })).status, 400);
  const replaced = await api.request("PUT", `/v1/users/me`, {
    body: { name: "C", email: "climber@example.com" },
    ...by,
  });
  deepEqual([replaced.status, replaced.json.role], [200, "member"]);
});

test("a change of roles counts at once for tokens that carry the old ones, in both directions", async () => {
  const boss = await api.register("boss@example.com");
  await api.promote(boss.id);
  const byBoss = bearer(await api.login("boss@example.com"));
  const { id } = await api.register("rising@example.com");
  const tokens = await api.login("rising@example.com");
  equal(await api.statusFor(tokens, "/v1/users"), 403);
  equal((await api.request("PATCH", `/v1/users/${id}`, { body: { role: "admin" }, ...byBoss })).status, 200);
  equal(await api.statusFor(tokens, "/v1/users"), 200);
  equal((await api.request("PATCH", `/v2/users/${id}`, { body: { roles: ["member"] }, ...byBoss })).status, 200);
  equal(await api.statusFor(tokens, "/v1/users"), 403);
});

test("only an admin lists users, and may filter them by role", async () => {
  const { id } = await api.register("lister@example.com");
  await api.promote(id);
  const by = bearer(await api.login("lister@example.com"));
  const admins = await api.request("GET", "/v1/users?role=admin&sort=email&limit=100", by);
  equal(admins.status, 200);
  ok(admins.json.data.length > 0 && admins.json.data.every(({ role }: { role: string }) => role === "admin"));
  equal((await api.request("GET", "/v1/users?q=LISTER&sort=-name", by)).json.data[0].id, id);
  equal((await api.request("GET", "/v1/users?fields=passwordHash", by)).status, 400);
  await api.register("curious@example.com");
  equal(await api.statusFor(await api.login("curious@example.com"), "/v1/users"), 403);
});

test("deleting a user ends every session and token, frees the email, and is announced", async () => {
  const { id } = await api.register("leaver@example.com");
  const [phone, laptop] = [await api.login("leaver@example.com"), await api.login("leaver@example.com")];
  equal((await api.request("DELETE", `/v1/users/${id}`, bearer(phone))).status, 204);
  deepEqual([await api.statusFor(phone), await api.statusFor(laptop)], [401, 401]);
  equal((await api.refresh(laptop.refreshToken)).status, 401);
  equal((await api.post("/auth/login", { email: "leaver@example.com", password })).status, 401);
  deepEqual(
    (await api.sql("select type from ashlar.outbox where aggregate_id = $1 order by seq", [id])).map(
      ({ type }) => type,
    ),
    ["user.registered", "user.deleted"],
  );
  const again = await api.register("leaver@example.com");
  ok(again.id !== id);
});

test("someone else's user is as absent as one who never was", async () => {
  const { id } = await api.register("private@example.com");
  await api.register("nosy@example.com");
  const by = bearer(await api.login("nosy@example.com"));
  for (const [method, body] of [["GET"], ["PATCH", { name: "Mine" }], ["DELETE"]] as const) {
    const other = await api.request(method, `/v1/users/${id}`, { ...by, body });
    const none = await api.request(method, "/v1/users/usr_01h455vb4pex5vsknk084sn02q", { ...by, body });
    deepEqual([other.status, other.json.error], [none.status, none.json.error]);
    equal(other.status, 404);
  }
});

test("an admin restores a deleted user, who signs in again; the sessions of before stay ended", async () => {
  const { id: adminId } = await api.register("restoring.admin@example.com");
  await api.promote(adminId);
  const admin = bearer(await api.login("restoring.admin@example.com"));
  const { id } = await api.register("restored@example.com");
  const before = await api.login("restored@example.com");
  equal((await api.request("DELETE", `/v1/users/${id}`, bearer(before))).status, 204);
  equal((await api.post("/auth/login", { email: "restored@example.com", password })).status, 401);

  const own = await api.request("PATCH", `/v1/users/${id}`, { body: { deletedAt: null }, ...bearer(before) });
  equal(own.status, 401);
  const restored = await api.request("PATCH", `/v1/users/${id}`, { body: { deletedAt: null }, ...admin });
  equal(restored.status, 200, restored.text);
  equal(await api.statusFor(before), 401);
  equal((await api.refresh(before.refreshToken)).status, 401);
  await api.clock.advance(1);
  const after = await api.login("restored@example.com");
  equal(await api.statusFor(after), 200);
  const me = await api.request("GET", "/v1/users/me?includeDeleted=true", bearer(after));
  equal(me.status, 403);
});
