import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createPasswords, type Passwords } from "ashlar/auth";
import { systemClock } from "ashlar/base";
import { errors, Failure } from "ashlar/contract";
import { migrationsOf } from "ashlar/service";
import { createTestDatabase } from "ashlar/testing";
import { bearer, cheapCost, password, startIdentity } from "./fixture.ts";
import { identityService } from "./service.ts";
import { purgeTries } from "./tries.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

let looked = 0;
let room = true;
const cheap = createPasswords({ clock: systemClock, cost: cheapCost });
const verify = async (hash: string | undefined, secret: string) => {
  if (!room) throw new Failure(errors.unavailable, "Full");
  looked += 1;
  return cheap.verify(hash, secret);
};
/** Counts what was looked at, and can be unable to. */
const passwords: Passwords = { ...cheap, verify, inTurn: (work) => work(verify) };
const api = await startIdentity({ passwords, settings: { trustedProxies: ["127.0.0.1"] } });

const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
const signIn = (email: string, address: string, secret = password) =>
  api.post("/auth/login", { email, password: secret }, from(address));
const fail = (email: string, address: string) => signIn(email, address, "not the password");
const home = "192.0.2.1";
const stranger = (n: number) => `198.51.100.${n}`;

/** Fails from as many addresses at once. */
async function attack(email: string, tries: number): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: tries }, (_, index) => fail(email, stranger(index))));
  return answers.map(({ status }) => status).toSorted();
}

test("L05 of 101 wrong passwords from 101 addresses, one by one or at once, ten are looked at", async () => {
  for (const email of ["burst@example.com", "row@example.com"]) await api.register(email);
  looked = 0;
  deepEqual(await attack("burst@example.com", 101), [
    ...Array.from({ length: 10 }, () => 401),
    ...Array.from({ length: 91 }, () => 429),
  ]);
  equal(looked, 10);
  const statuses = [];
  for (let n = 0; n < 101; n++) statuses.push((await fail("row@example.com", stranger(n))).status);
  deepEqual(statuses.slice(0, 11), [...Array.from({ length: 10 }, () => 401), 429]);
  equal(looked, 20);
});

test("L06 meanwhile the owner gets in from where they signed in before, and a stranger with the right password does not", async () => {
  await api.register("owner@example.com");
  equal((await signIn("owner@example.com", home)).status, 200);
  await attack("owner@example.com", 101);
  equal((await signIn("owner@example.com", home)).status, 200);
  equal((await signIn("owner@example.com", stranger(150))).status, 429);
  equal((await signIn("OWNER@example.com", stranger(150))).status, 429);
});

test("L06 a session that is refreshed makes its device known, and goes on whatever is tried", async () => {
  await api.register("roams@example.com");
  const { refreshToken } = (await signIn("roams@example.com", home)).json;
  await attack("roams@example.com", 20);
  equal((await signIn("roams@example.com", "203.0.113.9")).status, 429);
  equal((await api.post("/auth/refresh", { refreshToken }, from("203.0.113.9"))).status, 200);
  equal((await signIn("roams@example.com", "203.0.113.9")).status, 200);
});

test("an IPv6 device is known by its /64", async () => {
  await api.register("six@example.com");
  equal((await signIn("six@example.com", "2001:db8:1:2::1")).status, 200);
  await attack("six@example.com", 20);
  equal((await signIn("six@example.com", "2001:db8:1:2:ffff::9")).status, 200);
  equal((await signIn("six@example.com", "2001:db8:1:3::1")).status, 429);
});

test("a known device has ten tries of its own, with waits from the fifth on, and is a stranger after them", async () => {
  await api.register("forgetful@example.com");
  equal((await signIn("forgetful@example.com", home)).status, 200);
  const waits = [];
  for (let count = 0; count < 9; count++) {
    equal((await fail("forgetful@example.com", home)).status, 401);
    if (count < 4) continue;
    const refused = await signIn("forgetful@example.com", home);
    equal(refused.status, 429);
    const seconds = Number(refused.headers.get("retry-after"));
    waits.push(seconds / 60);
    await api.clock.advance(seconds * 1000);
  }
  deepEqual(waits, [1, 2, 4, 8, 16]);
  // None of this is held against the account.
  equal((await fail("forgetful@example.com", stranger(1))).status, 401);
  equal((await fail("forgetful@example.com", home)).status, 401);
  await attack("forgetful@example.com", 20);
  equal((await signIn("forgetful@example.com", home)).status, 429);
});

test("success clears the failures of where it was counted, and none but those", async () => {
  await api.register("clears@example.com");
  for (let n = 0; n < 9; n++) await fail("clears@example.com", stranger(n));
  equal((await signIn("clears@example.com", home)).status, 200);
  deepEqual((await attack("clears@example.com", 11)).slice(9), [401, 429]);
  // From a known device: its own are cleared, what strangers did stands.
  for (let n = 0; n < 4; n++) await fail("clears@example.com", home);
  equal((await signIn("clears@example.com", home)).status, 200);
  for (let n = 0; n < 4; n++) equal((await fail("clears@example.com", home)).status, 401);
  equal((await signIn("clears@example.com", home)).status, 200);
  equal((await fail("clears@example.com", stranger(1))).status, 429);
});

test("waits double up to an hour, the fiftieth failure in a row costs a month, and then counting begins anew", async () => {
  await api.register("siege@example.com");
  await attack("siege@example.com", 10);
  const waits = [];
  for (let failures = 10; failures <= 50; failures++) {
    const refused = await fail("siege@example.com", stranger(failures));
    equal(refused.status, 429);
    const seconds = Number(refused.headers.get("retry-after"));
    waits.push(seconds / 60);
    await api.clock.advance(seconds * 1000 - 1_000);
    equal((await fail("siege@example.com", stranger(failures))).status, 429);
    await api.clock.advance(1_000);
    equal((await fail("siege@example.com", stranger(failures))).status, 401);
  }
  deepEqual(waits, [1, 2, 4, 8, 16, 32, ...Array.from({ length: 34 }, () => 60), 30 * 24 * 60]);
  deepEqual((await attack("siege@example.com", 12)).slice(8), [401, 429, 429, 429]);
});

test("L08 an address that nobody has is throttled like one that somebody has, down to the answer", async () => {
  await api.register("somebody@example.com");
  const gone = await api.register("gone@example.com");
  await api.request("DELETE", `/v1/users/${gone.id}`, bearer(await api.login("gone@example.com")));
  const emails = ["somebody@example.com", "nobody@example.com", "gone@example.com", "not an address"];
  const journeys = await Promise.all(
    emails.map(async (email) => {
      const answers = [];
      for (let n = 0; n < 12; n++) answers.push(await fail(email, stranger(n)));
      return answers.map(({ status, text, headers }) => [
        status,
        text,
        [...headers].filter(([name]) => name !== "date" && name !== "x-request-id"),
      ]);
    }),
  );
  for (const journey of journeys) deepEqual(journey, journeys[0]);
  deepEqual(
    journeys[0]!.map(([status]) => status),
    [...Array.from({ length: 10 }, () => 401), 429, 429],
  );
});

test("L07 one password tried on many accounts from one address is stopped by the limit of that address", async () => {
  const limited = await startIdentity({
    settings: {
      limits: { default: "off", anonymous: "off", auth: { maxRequests: 20, windowMs: 60_000 } },
      trustedProxies: ["127.0.0.1"],
    },
  });
  const spray = async (address: string) => {
    const tries = Array.from({ length: 50 }, (_, n) =>
      limited.post("/auth/login", { email: `user${n}@example.com`, password: "Summer2026!" }, from(address)),
    );
    return (await Promise.all(tries)).filter(({ status }) => status === 401).length;
  };
  equal(await spray("2001:db8::1"), 20);
  equal(await spray("2001:db8::2"), 0);
  equal(await spray("2001:db8:0:1::1"), 20);
});

test("a try whose password could not be looked at is not held against anybody", async () => {
  await api.register("patient@example.com");
  equal((await signIn("patient@example.com", home)).status, 200);
  room = false;
  for (let n = 0; n < 30; n++) {
    equal((await signIn("patient@example.com", home)).status, 503);
    equal((await signIn("patient@example.com", stranger(n))).status, 503);
  }
  room = true;
  equal((await signIn("patient@example.com", stranger(100))).status, 200);
  deepEqual((await attack("patient@example.com", 11)).slice(9), [401, 429]);
});

test("a wrong current password counts like a failed sign-in", async () => {
  await api.register("held@example.com");
  const { accessToken } = (await signIn("held@example.com", home)).json;
  const change = (currentPassword: string, address: string) =>
    api.request("PUT", "/v1/users/me/password", {
      authorization: `Bearer ${accessToken}`,
      body: { currentPassword, newPassword: "a wholly different phrase" },
      ...from(address),
    });
  for (let n = 0; n < 10; n++) equal((await change("not the password", stranger(n))).status, 403);
  equal((await change(password, stranger(11))).status, 429);
  equal((await fail("held@example.com", stranger(12))).status, 429);
  equal((await change(password, home)).status, 204);
});

test("a reset by mail lets the owner in from where they are, and every other device is a stranger", async () => {
  await api.register("rescued@example.com");
  equal((await signIn("rescued@example.com", home)).status, 200);
  await attack("rescued@example.com", 20);
  await api.clock.advance(1);
  await api.post("/auth/password/forgot", { email: "rescued@example.com" }, from("203.0.113.7"));
  await api.runJob("resetRequests");
  const { token } = (await api.mailsTo("rescued@example.com")).at(-1)!;
  const newPassword = "a wholly different phrase";
  equal((await api.post("/auth/password/reset", { token, newPassword }, from("203.0.113.7"))).status, 204);
  await attack("rescued@example.com", 20);
  equal((await signIn("rescued@example.com", "203.0.113.7", newPassword)).status, 200);
  equal((await signIn("rescued@example.com", home, newPassword)).status, 429);
});

test("five devices are known at a time, each for thirty days after its last use", async () => {
  await api.register("travels@example.com");
  for (let n = 1; n <= 6; n++) {
    equal((await signIn("travels@example.com", `203.0.113.${n}`)).status, 200);
    await api.clock.advance(minuteMs);
  }
  await attack("travels@example.com", 20);
  equal((await signIn("travels@example.com", "203.0.113.1")).status, 429);
  equal((await signIn("travels@example.com", "203.0.113.2")).status, 200);
  await api.clock.advance(30 * dayMs - 2 * minuteMs);
  await attack("travels@example.com", 20);
  equal((await signIn("travels@example.com", "203.0.113.6")).status, 200);
  await api.clock.advance(30 * dayMs);
  await attack("travels@example.com", 20);
  equal((await signIn("travels@example.com", "203.0.113.6")).status, 429);
});

test("whoever has the address next inherits no device", async () => {
  const { id } = await api.register("handed@example.com");
  const tokens = (await signIn("handed@example.com", home)).json;
  await api.request("DELETE", `/v1/users/${id}`, bearer(tokens));
  await api.register("handed@example.com");
  await attack("handed@example.com", 20);
  equal((await signIn("handed@example.com", home)).status, 429);
});

test("the counts tell nothing about whom they are", async () => {
  await api.register("hashed@example.com");
  await signIn("hashed@example.com", home);
  await fail("hashed@example.com", stranger(1));
  const rows = JSON.stringify(
    await api.sql("select t::text from sign_in_failures t union all select d::text from known_devices d"),
  );
  for (const text of ["hashed", home, stranger(1), Buffer.from("hashed@example.com").toString("hex")])
    ok(!rows.includes(text));
});

test("processes with one database and one data folder count together", async () => {
  const { url } = await createTestDatabase({
    migrations: migrationsOf(identityService({} as Parameters<typeof identityService>[0])),
  });
  const dataDirectory = await mkdtemp(join(tmpdir(), "ashlar-test-"));
  after(() => rm(dataDirectory, { recursive: true, force: true }));
  const settings = { databaseUrls: { users: url }, dataDirectory };
  const processes = [await startIdentity({ settings }), await startIdentity({ settings })];
  const body = { email: "both@example.com", password: "not the password" };
  const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => processes[n % 2]!.post("/auth/login", body)));
  equal(answers.filter(({ status }) => status === 401).length, 10);
});

test("old counts are removed; of too many the ones with the fewest failures go", async () => {
  await api.clock.advance(30 * dayMs);
  // Made now: a context has a deadline.
  const ctx = api.system.services.get("identity")!.contextFor("test");
  await purgeTries(ctx);
  deepEqual(await counts(), { failures: 0, devices: 0 });
  for (let n = 0; n < 5; n++) await fail(`once${n}@example.com`, stranger(n));
  await attack("often@example.com", 20);
  await purgeTries(ctx, 2);
  deepEqual(await counts(), { failures: 2, devices: 0 });
  equal((await fail("often@example.com", stranger(1))).status, 429);
});

async function counts(): Promise<unknown> {
  const [row] = await api.sql(
    "select (select count(*)::int from sign_in_failures) as failures, (select count(*)::int from known_devices) as devices",
  );
  return row;
}
