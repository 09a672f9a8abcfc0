import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { hash as argon2Hash, verify as argon2Verify } from "@node-rs/argon2";
import { createManualClock } from "../base/index.ts";
import { Failure } from "../contract/index.ts";
import { createPasswords, unmatchedHash } from "./passwords.ts";

const clock = createManualClock();
const cheap = { memoryKiB: 64, passes: 1 };

test("L17 a hash is argon2id with OWASP's parameters, different each time, and verifies", async () => {
  const passwords = createPasswords({ clock });
  const hash = await passwords.hash("correct horse battery");
  match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  notEqual(await passwords.hash("correct horse battery"), hash);
  deepEqual(await passwords.verify(hash, "correct horse battery"), { ok: true, needsRehash: false });
  deepEqual(await passwords.verify(hash, "correct horse batterz"), { ok: false, needsRehash: false });
  ok(await argon2Verify(hash, "correct horse battery"));
});

test("L10 nothing is cut: a difference at byte 80 or 1000 counts", async () => {
  const passwords = createPasswords({ clock, cost: cheap });
  for (const length of [80, 1_000]) {
    const hash = await passwords.hash(`${"x".repeat(length)}a`);
    equal((await passwords.verify(hash, `${"x".repeat(length)}b`)).ok, false);
    equal((await passwords.verify(hash, `${"x".repeat(length)}a`)).ok, true);
  }
});

test("L11 composed and decomposed letters are the same password; blanks and case count", async () => {
  const passwords = createPasswords({ clock, cost: cheap });
  const hash = await passwords.hash("ångström 🔑 pass");
  equal((await passwords.verify(hash, "ångström 🔑 pass".normalize("NFD"))).ok, true);
  equal((await passwords.verify(hash, "ångström 🔑 pass ")).ok, false);
  equal((await passwords.verify(hash, "Ångström 🔑 pass")).ok, false);
});

test("an unknown account is never ok, whatever the password", async () => {
  const passwords = createPasswords({ clock, cost: cheap });
  for (const password of ["", "x", "\u0000".repeat(32)]) {
    deepEqual(await passwords.verify(undefined, password), { ok: false, needsRehash: false });
  }
});

test("L02 an unknown account takes the work of a known one: a hash of the same parameters that nothing matches", async () => {
  // How long it takes, bench/login-timing.ts measures.
  const passwords = createPasswords({ clock });
  const parametersOf = (hash: string) => hash.split("$").slice(1, 4);
  const unmatched = unmatchedHash({ memoryKiB: 19_456, passes: 2 });
  deepEqual(parametersOf(unmatched), parametersOf(await passwords.hash("correct horse battery")));
  for (const password of ["", "correct horse battery"]) equal(await argon2Verify(unmatched, password), false);
});

test("L04 a hash of other parameters verifies and asks to be made anew, after a success only", async () => {
  const passwords = createPasswords({ clock, cost: { memoryKiB: 128, passes: 2 } });
  for (const options of [
    { memoryCost: 64, timeCost: 2, parallelism: 1 },
    { memoryCost: 128, timeCost: 1, parallelism: 1 },
    { memoryCost: 128, timeCost: 2, parallelism: 2 },
    { memoryCost: 128, timeCost: 2, parallelism: 1, algorithm: 1 },
  ]) {
    const old = await argon2Hash("some password", options);
    deepEqual(await passwords.verify(old, "some password"), { ok: true, needsRehash: true });
    deepEqual(await passwords.verify(old, "other password"), { ok: false, needsRehash: false });
  }
});

test("what is over the queue is told to come back, and the rest is served", async () => {
  const passwords = createPasswords({ clock, cost: cheap, maxConcurrent: 1, maxQueued: 2 });
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.hash("some password")));
  deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"],
  );
  const busy = (error: unknown) =>
    error instanceof Failure && error.status === 503 && error.headers["retry-after"] === "1";
  await rejects(Promise.reject((results[4] as PromiseRejectedResult).reason), busy);
  ok(await passwords.hash("some password"), "and the places are free again");
});

test("work in its turn verifies at once, and does not begin for who is turned away", async () => {
  const passwords = createPasswords({ clock, cost: cheap, maxConcurrent: 1, maxQueued: 1 });
  const hash = await passwords.hash("some password");
  let begun = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 3 }, () =>
      passwords.inTurn((verify) => {
        begun += 1;
        return verify(hash, "some password");
      }),
    ),
  );
  deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected"],
  );
  equal(begun, 2);
});
