import { deepEqual, equal, rejects } from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openKeys } from "../auth/index.ts";
import { systemClock, systemRandom } from "../base/index.ts";
import { readOrCreateSecret } from "../runtime/index.ts";
import { requireFolder } from "./data-folder.ts";

const root = await mkdtemp(join(tmpdir(), "ashlar-folder-"));
after(() => rm(root, { recursive: true, force: true }));
const readOnly = () => Promise.reject(Object.assign(new Error("not here"), { code: "EROFS" }));
const configured = { notes: "postgres://localhost/notes" };

test("a folder that can only be read will do when the databases are configured and the secret and a key are in it", async () => {
  const dataDirectory = join(root, "filled");
  await readOrCreateSecret(dataDirectory, systemRandom);
  const own = { dataDirectory, databaseUrls: configured };
  await rejects(requireFolder(own, readOnly), /read-only\), and it lacks the secret or a key\. .*`ashlar keys create`/);
  await openKeys({ directory: dataDirectory, clock: systemClock, random: systemRandom });
  await requireFolder(own, readOnly);
  await rejects(
    requireFolder({ dataDirectory, databaseUrls: { notes: undefined } }, readOnly),
    /cannot be used: the file system is read-only\. Choose another with ASHLAR_DATA/,
    "its own PostgreSQL would have to write",
  );
});

test("a folder that is not there is made, and a file in its place is named", async () => {
  const dataDirectory = join(root, "new");
  await requireFolder({ dataDirectory, databaseUrls: {} });
  deepEqual(await readdir(dataDirectory), []);
  const file = join(root, "file");
  await writeFile(file, "");
  await rejects(requireFolder({ dataDirectory: file, databaseUrls: configured }), /cannot be used: it is a file/);
});

test("of those who make the secret at the same time all get the same, and nothing else is left in the folder", async () => {
  const directory = join(root, "race");
  const made = await Promise.all(Array.from({ length: 20 }, () => readOrCreateSecret(directory, systemRandom)));
  equal(new Set(made.map((secret) => Buffer.from(secret).toString("hex"))).size, 1);
  deepEqual(await readdir(directory), ["secret"]);
});

test("a secret that is not whole is named", async () => {
  const directory = join(root, "damaged");
  await readOrCreateSecret(directory, systemRandom);
  await writeFile(join(directory, "secret"), "abc");
  await rejects(readOrCreateSecret(directory, systemRandom), /secret is damaged/);
});
