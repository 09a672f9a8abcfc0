import { deepEqual, doesNotThrow, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { Failure } from "../contract/index.ts";
import { createRevocations } from "./revocations.ts";
import type { AccessClaims } from "./tokens.ts";

const ttlMs = 900_000;

function setUp() {
  const clock = createManualClock();
  const revocations = createRevocations({ clock, ttlMs });
  const claims = (changes: Partial<AccessClaims> = {}): AccessClaims => ({
    userId: "usr_1",
    email: "ann@example.com",
    roles: ["member"],
    sessionId: "ses_1",
    tokenId: "tok_1",
    issuedAtMs: clock.nowMs(),
    expiresAtMs: clock.nowMs() + ttlMs,
    ...changes,
  });
  return { clock, revocations, claims };
}

const ended = (error: unknown) =>
  error instanceof Failure && error.status === 401 && error.headers["www-authenticate"]!.includes("invalid_token");

test("J15 an ended session's tokens are refused at once, and those of a new login in the same millisecond pass", () => {
  const { revocations, claims } = setUp();
  const before = claims();
  equal(revocations.check(before), before);
  revocations.revokeSession("ses_1");
  throws(() => revocations.check(before), ended);
  doesNotThrow(() => revocations.check(claims({ sessionId: "ses_2" })));
});

test("J15 a user's tokens up to a moment are refused, those of the next millisecond of the same second pass", async () => {
  const { clock, revocations, claims } = setUp();
  const before = claims();
  revocations.revokeUser("usr_1");
  throws(() => revocations.check(before), ended);
  throws(() => revocations.check(claims()), ended);
  await clock.advance(1);
  doesNotThrow(() => revocations.check(claims()));
  doesNotThrow(() => revocations.check(claims({ userId: "usr_2", issuedAtMs: 0 })));
});

test("J16 a changed role holds for every token of the user, also one signed from the old role just after", async () => {
  const { clock, revocations, claims } = setUp();
  const before = claims({ roles: ["admin"] });
  revocations.setRoles("usr_1", ["member"]);
  deepEqual(revocations.check(before).roles, ["member"]);
  deepEqual(before.roles, ["admin"], "the remembered claims are not touched");
  await clock.advance(5);
  deepEqual(revocations.check(claims({ roles: ["admin"] })).roles, ["member"]);
  deepEqual(revocations.check(claims({ userId: "usr_2", roles: ["admin"] })).roles, ["admin"]);
  revocations.setRoles("usr_1", ["admin"]);
  deepEqual(revocations.check(claims()).roles, ["admin"]);
});

test("changes from a store may come late, twice and in any order; the latest holds", () => {
  const { clock, revocations, claims } = setUp();
  const atMs = clock.nowMs();
  const late = { kind: "roles", userId: "usr_1", roles: ["admin"], atMs } as const;
  const early = { kind: "roles", userId: "usr_1", roles: ["member"], atMs: atMs - 1 } as const;
  revocations.apply([late, early, late, early]);
  deepEqual(revocations.check(claims()).roles, ["admin"]);
  revocations.apply([
    { kind: "user", userId: "usr_1", atMs: atMs - 1 },
    { kind: "user", userId: "usr_1", atMs: atMs - 10 },
  ]);
  throws(() => revocations.check(claims({ issuedAtMs: atMs - 1 })), ended);
  doesNotThrow(() => revocations.check(claims()));
  revocations.apply([{ kind: "session", sessionId: "ses_1", atMs: atMs - 1 }]);
  throws(() => revocations.check(claims()), ended);
});

test("a change is kept as long as a token from before it could live, and not for ever", async () => {
  const { clock, revocations, claims } = setUp();
  const before = claims();
  revocations.revokeSession("ses_1");
  revocations.revokeUser("usr_3");
  revocations.setRoles("usr_4", []);
  await clock.advance(ttlMs);
  revocations.apply([]);
  throws(() => revocations.check(before), ended);
  equal(revocations.size(), 3);
  await clock.advance(ttlMs / 5);
  revocations.apply([]);
  equal(revocations.size(), 0);
});
