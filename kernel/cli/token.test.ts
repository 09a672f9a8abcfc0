import { deepEqual, equal, match } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createTokens, openKeys } from "../auth/index.ts";
import { systemClock, systemRandom } from "../base/index.ts";

const command = fileURLToPath(new URL("./ashlar.js", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "ashlar-cli-"));
after(() => rm(folder, { recursive: true, force: true }));

await writeFile(join(folder, "package.json"), `{ "ashlar": { "app": "main.mjs" } }`);
await writeFile(
  join(folder, "main.mjs"),
  `export default {
    definition: { name: "notes" },
    variables: {},
    readSettings: () => ({ system: { issuer: "ashlar-notes", dataDirectory: "data" } }),
  };`,
);

/** Runs `ashlar` in another folder than the app's. */
function ashlar(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], { cwd: tmpdir() }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test("a token is signed with the keys of the app in the folder that -C names, and the app takes it", async () => {
  const userId = "usr_01h455vb4pex5vsknk084sn02q";
  const { code, stdout } = await ashlar("-C", folder, "token", "--user", userId, "--role", "teller", "clerk");
  equal(code, 0);
  const keys = await openKeys({ directory: join(folder, "data"), clock: systemClock, random: systemRandom });
  const verifying = { keys, clock: systemClock, random: systemRandom, remembered: { get: () => undefined, set() {} } };
  const tokens = createTokens({ ...verifying, issuer: "ashlar-notes", audience: "ashlar-notes" });
  const claims = await tokens.verifyAccess(stdout.trim());
  deepEqual([claims.userId, claims.roles], [userId, ["teller", "clerk"]]);
});

test("without a user each token is somebody else's, with no role", async () => {
  const payloads = await Promise.all(
    [1, 2].map(async () => {
      const { stdout } = await ashlar("-C", folder, "token");
      return JSON.parse(Buffer.from(stdout.split(".")[1]!, "base64url").toString()) as { sub: string; roles: string[] };
    }),
  );
  deepEqual(
    payloads.map(({ roles }) => roles),
    [[], []],
  );
  equal(payloads[0]!.sub === payloads[1]!.sub, false);
});

test("a folder that is not there, and what is no user, are mistakes on the command line", async () => {
  const nowhere = await ashlar("-C", join(folder, "nowhere"), "config");
  deepEqual([nowhere.code, nowhere.stdout], [2, ""]);
  match(nowhere.stderr, /^ashlar: there is no folder .*nowhere/);
  const nobody = await ashlar("-C", folder, "token", "--user", "ann");
  equal(nobody.code, 2);
  match(nobody.stderr, /It must be the id of a user/);
});
