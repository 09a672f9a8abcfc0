import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createTokens, openKeys } from "../auth/index.ts";
import { createManualClock, type ManualClock, systemRandom, timestamp } from "../base/index.ts";
import { createMemoryCache } from "../cache/index.ts";
import { create, list, retire, rotate } from "./keys.ts";

const folder = await mkdtemp(join(tmpdir(), "ashlar-cli-"));
const before = process.cwd();
after(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => process.chdir(folder));
afterEach(() => process.chdir(before));

await writeFile(join(folder, "package.json"), `{ "ashlar": { "app": "main.mjs" } }`);
await writeFile(
  join(folder, "main.mjs"),
  `export default {
    definition: { name: "notes" },
    variables: {},
    readSettings: (environment) => ({ system: { issuer: "ashlar-notes", dataDirectory: environment.ASHLAR_DATA } }),
  };`,
);

/** An app that runs on a data folder of its own, and has read its keys. */
async function runningApp(name: string, clock: ManualClock) {
  const directory = join(folder, name);
  process.env.ASHLAR_DATA = directory;
  const keys = await openKeys({ directory, clock, random: systemRandom });
  const audience = "ashlar-notes";
  const remembered = createMemoryCache<never>({ clock, maxEntries: 10 });
  const tokens = createTokens({ keys, issuer: audience, audience, clock, random: systemRandom, remembered });
  const someone = {
    userId: "usr_01h455vb4pex5vsknk084sn02q",
    email: "ann@example.com",
    roles: [],
    sessionId: "ses_01h455vb4pex5vsknk084sn02q",
  };
  return { keys, tokens, signIn: () => tokens.signAccess(someone) };
}

test("J18 after a rotation a running app takes tokens of both keys without a restart, and of a retired one none", async () => {
  const clock = createManualClock();
  const { tokens, signIn } = await runningApp("overlap", clock);
  const token = await signIn();
  const [old] = await list(clock);
  const [fresh] = await rotate(clock);
  deepEqual([old!.state, fresh!.state], ["signs", "published"]);
  equal(fresh!.signsFrom, timestamp(clock.nowMs() + 60_000));

  await clock.advance(60_000);
  const later = await signIn();
  const kidOf = (text: string) => JSON.parse(Buffer.from(text.split(".")[0]!, "base64url").toString()).kid as string;
  deepEqual([kidOf(token), kidOf(later)], [old!.kid, fresh!.kid]);
  await tokens.verifyAccess(token);
  await tokens.verifyAccess(later);
  deepEqual(
    (await list(clock)).map(({ state }) => state),
    ["verifies", "signs"],
  );

  await rejects(retire(old!.kid, {}, clock), /good until 2026-.*--now/);
  deepEqual(await retire(old!.kid, { now: true }, clock), [{ retired: old!.kid }]);
  await clock.advance(30_000);
  await rejects(tokens.verifyAccess(token), /The token is not valid/);
  await tokens.verifyAccess(later);
});

test("a key whose last token has expired is retired without --now, and by the next rotation", async () => {
  const clock = createManualClock();
  await runningApp("outlived", clock);
  const [first] = await list(clock);
  await rotate(clock);
  await clock.advance(60_000);
  const { neededUntil } = (await list(clock))[0]!;
  await clock.advance(Date.parse(neededUntil!) - clock.nowMs());
  deepEqual(await retire(first!.kid, {}, clock), [{ retired: first!.kid }]);
  await rotate(clock);
  await clock.advance(60_000 + 30 * 24 * 60 * 60_000);
  await rotate(clock);
  deepEqual(
    (await list(clock)).map(({ state }) => state),
    ["signs", "published"],
  );
});

test("keys for several machines are made once, with the secret, and the next one signs when every copy has it", async () => {
  const clock = createManualClock();
  process.env.ASHLAR_DATA = join(folder, "copies");
  const made = await create(clock);
  deepEqual(
    made.map(({ state }) => state),
    ["signs"],
  );
  deepEqual(await create(clock), made);
  deepEqual((await readdir(process.env.ASHLAR_DATA)).toSorted(), ["keys", "secret"]);
  const [next] = await rotate(clock, { signsAfter: 600_000 });
  equal(next!.signsFrom, timestamp(clock.nowMs() + 600_000));
  const [soon] = await rotate(clock, { signsAfter: 1_000 });
  equal(soon!.signsFrom, timestamp(clock.nowMs() + 60_000), "running processes look twice a minute");
});

test("the key that signs cannot be retired, nor one that is not there", async () => {
  const clock = createManualClock();
  await runningApp("needed", clock);
  const [only] = await list(clock);
  await rejects(retire(only!.kid, { now: true }, clock), /Rotate, and wait a minute/);
  await rejects(retire("nothing", { now: true }, clock), /There is no key nothing/);
  equal((await list(clock)).length, 1);
});

test("of an app that never ran there are no keys, and asking makes none", async () => {
  process.env.ASHLAR_DATA = join(folder, "never");
  deepEqual(await list(), []);
  equal((await readdir(folder)).includes("never"), false);
});

test("the help says how a key is changed, and what is asked wrongly ends with 2", async () => {
  const ashlar = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const command = [fileURLToPath(new URL("./ashlar.js", import.meta.url)), "keys", ...args];
      execFile(process.execPath, command, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  const help = await ashlar("--help");
  equal(help.code, 0);
  match(help.stdout, /list .*[^]*rotate .*[^]*Nobody notices a rotation[^]*keys retire <kid> --now/);
  const wrong = await ashlar("retire");
  deepEqual([wrong.code, wrong.stdout], [2, ""]);
  match(wrong.stderr, /missing required argument 'kid'/);
});
