import { deepEqual, equal } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemRandom } from "../base/index.ts";
import { readOrCreateSecret } from "./secret.ts";

const root = await mkdtemp(join(tmpdir(), "ashlar-secret-"));
after(() => rm(root, { recursive: true, force: true }));

test("of many who make the secret at once all get the same, and later ones find it", async () => {
  const directory = join(root, "shared");
  const made = await Promise.all(Array.from({ length: 20 }, () => readOrCreateSecret(directory, systemRandom)));
  for (const secret of [...made, await readOrCreateSecret(directory, systemRandom)])
    deepEqual(Buffer.from(secret), Buffer.from(made[0]!));
  deepEqual(await readdir(directory), ["secret"]);
});

test(
  "where it cannot be written whole, nothing is left that a later start would take for it",
  { skip: platform() === "win32" },
  async () => {
    const directory = join(root, "full");
    const script = `
    import { systemRandom } from "${new URL("../base/index.ts", import.meta.url).href}";
    import { readOrCreateSecret } from "${new URL("./secret.ts", import.meta.url).href}";
    await readOrCreateSecret(${JSON.stringify(directory)}, systemRandom).catch((error) => process.exit(error.code === "EFBIG" ? 7 : 1));`;
    // No file may grow, as on a full disk; the signal about it is ignored.
    const limited = 'trap "" XFSZ; ulimit -f 0; exec "$@"';
    const words = [process.execPath, "--input-type=module-typescript", "--eval", script];
    const [code] = await once(spawn("/bin/sh", ["-c", limited, "sh", ...words], { stdio: "inherit" }), "exit");
    equal(code, 7);
    deepEqual(await readdir(directory), []);
    equal((await readOrCreateSecret(directory, systemRandom)).length, 32);
  },
);
