import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import files, { mkdtemp, readdir, rm, stat, unlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock, test, type TestContext } from "node:test";
import { calculateJwkThumbprint } from "jose";
import { createManualClock, systemRandom, type ManualClock } from "../base/index.ts";
import { openKeys } from "./keys.ts";

const day = 24 * 60 * 60_000;

async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "ashlar-keys-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function open(directory: string, clock: ManualClock = createManualClock()) {
  return openKeys({ directory, clock, random: systemRandom });
}

test("the first start makes one key, readable by its owner only, and the second start finds it", async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await open(directory);
  const second = await open(directory);
  deepEqual(await readdir(join(directory, "keys")), ["0001.json"]);
  equal((await stat(join(directory, "keys", "0001.json"))).mode & 0o777, 0o600);
  equal((await stat(join(directory, "keys"))).mode & 0o777, 0o700);
  deepEqual(await second.jwks(), await first.jwks());
});

test("twenty processes that start at once end with one key and no drafts", async (t) => {
  const directory = await temporaryDirectory(t);
  const all = await Promise.all(Array.from({ length: 20 }, () => open(directory)));
  const kids = await Promise.all(all.map(async (keys) => (await keys.signingKey(Date.UTC(2026, 0, 2))).kid));
  equal(new Set(kids).size, 1);
  deepEqual(await readdir(join(directory, "keys")), ["0001.json"]);
});

test("the public set names each key by its RFC 7638 thumbprint and holds nothing private", async (t) => {
  const keys = await open(await temporaryDirectory(t));
  const [jwk] = (await keys.jwks()).keys;
  deepEqual(Object.keys(jwk!).toSorted(), ["alg", "crv", "kid", "kty", "use", "x"]);
  equal(jwk!.kid, await calculateJwkThumbprint(jwk!));
  match(jwk!.kid, /^[\w-]{43}$/);
});

test("a new key is published at once, signs after a minute, and the old one goes on verifying", async (t) => {
  const clock = createManualClock();
  const keys = await open(await temporaryDirectory(t), clock);
  const old = (await keys.signingKey(clock.nowMs())).kid;
  const fresh = await keys.rotate();
  notEqual(fresh, old);
  deepEqual(
    (await keys.jwks()).keys.map((key) => key.kid),
    [old, fresh],
  );
  await clock.advance(59_999);
  equal((await keys.signingKey(clock.nowMs())).kid, old);
  await clock.advance(1);
  equal((await keys.signingKey(clock.nowMs())).kid, fresh);
  equal((await keys.signingKey(clock.nowMs() - 1)).kid, old, "what was of the old key's time is still signed by it");
  ok(await keys.verificationKey(old));
});

test("another process knows a new key before it signs, and forgets a retired one within 30 seconds", async (t) => {
  const clock = createManualClock();
  const directory = await temporaryDirectory(t);
  const here = await open(directory, clock);
  const there = await open(directory, clock);
  const old = (await here.signingKey(clock.nowMs())).kid;
  const fresh = await here.rotate();
  await clock.advance(60_000);
  ok(await there.verificationKey(fresh));
  await here.retire(old);
  equal(await here.verificationKey(old), undefined);
  await clock.advance(30_000);
  equal(await there.verificationKey(old), undefined);
});

test("J05 a flood of tokens with unknown kids costs one reading of the directory in 30 seconds", async (t) => {
  const clock = createManualClock();
  const directory = await temporaryDirectory(t);
  const [here, there] = [await open(directory, clock), await open(directory, clock)];
  const fresh = await there.rotate();
  const readings = mock.method(files, "readdir");
  syncBuiltinESMExports();
  t.after(() => {
    readings.mock.restore();
    syncBuiltinESMExports();
  });
  const flood = () => Promise.all(Array.from({ length: 1_000 }, (_, index) => here.verificationKey(`${index}`)));
  for (let second = 0; second < 29; second++) {
    deepEqual(new Set(await flood()), new Set([undefined]));
    await clock.advance(1_000);
  }
  equal(await here.verificationKey(fresh), undefined, "not even a key that is there now");
  equal(readings.mock.callCount(), 0);
  await clock.advance(1_000);
  await flood();
  equal(readings.mock.callCount(), 1);
  ok(await here.verificationKey(fresh));
  equal(readings.mock.callCount(), 1);
});

test("each key has a state, and the one that signs no more says until when it is needed", async (t) => {
  const clock = createManualClock();
  const keys = await open(await temporaryDirectory(t), clock);
  const startedAtMs = clock.nowMs();
  const old = (await keys.signingKey(startedAtMs)).kid;
  deepEqual(await keys.list(), [{ kid: old, state: "signs", signsFromMs: startedAtMs }]);
  const fresh = await keys.rotate();
  const signsFromMs = startedAtMs + 60_000;
  deepEqual(await keys.list(), [
    { kid: old, state: "signs", signsFromMs: startedAtMs },
    { kid: fresh, state: "published", signsFromMs },
  ]);
  await clock.advance(60_000);
  const neededUntilMs = signsFromMs + 30 * day;
  deepEqual(await keys.list(), [
    { kid: old, state: "verifies", signsFromMs: startedAtMs, neededUntilMs },
    { kid: fresh, state: "signs", signsFromMs },
  ]);
});

test("J18 a rotation removes keys that have outlived all they signed, and none a millisecond sooner", async (t) => {
  const clock = createManualClock();
  const keys = await open(await temporaryDirectory(t), clock);
  const first = (await keys.signingKey(clock.nowMs())).kid;
  const second = await keys.rotate();
  await clock.advance(60_000 + 30 * day - 1);
  const third = await keys.rotate();
  const kids = async () => (await keys.jwks()).keys.map(({ kid }) => kid);
  deepEqual(await kids(), [first, second, third]);
  await clock.advance(1);
  const fourth = await keys.rotate();
  deepEqual(await kids(), [second, third, fourth]);
  equal(await keys.verificationKey(first), undefined);
  equal((await keys.signingKey(clock.nowMs())).kid, second, "the new ones do not sign yet");
});

test("two processes that rotate at once make one key", async (t) => {
  const directory = await temporaryDirectory(t);
  const [a, b] = [await open(directory), await open(directory)];
  equal(await a.rotate(), await b.rotate().then(async () => (await a.jwks()).keys[1]!.kid));
  const [x, y] = await Promise.all([a.rotate(), b.rotate()]);
  equal(x, y);
});

test("the last key in force cannot be retired", async (t) => {
  const clock = createManualClock();
  const keys = await open(await temporaryDirectory(t), clock);
  const { kid } = await keys.signingKey(clock.nowMs());
  await rejects(keys.retire(kid), /Rotate/);
  await keys.rotate();
  await rejects(keys.retire(kid), /wait a minute/);
  ok(await keys.verificationKey(kid));
});

test("a directory that vanishes while running does not take the keys in memory along", async (t) => {
  const clock = createManualClock();
  const directory = await temporaryDirectory(t);
  const keys = await open(directory, clock);
  const { kid } = await keys.signingKey(clock.nowMs());
  await unlink(join(directory, "keys", "0001.json"));
  await clock.advance(31_000);
  ok(await keys.verificationKey(kid));
});

test("a damaged key file stops the start with an error that names it", async (t) => {
  const directory = await temporaryDirectory(t);
  await open(directory);
  await writeFile(join(directory, "keys", "0002.json"), "{");
  await rejects(open(directory), /0002\.json/);
  await writeFile(
    join(directory, "keys", "0002.json"),
    JSON.stringify({ signsFrom: "2026-01-01T00:00:00Z", key: { kty: "oct", k: "c2VjcmV0" } }),
  );
  await rejects(open(directory), /0002\.json/);
});
