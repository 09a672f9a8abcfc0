import { deepEqual, doesNotMatch, equal, match, rejects } from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { anyone, integer, object, optional, post, service, text } from "../contract/index.ts";
import { checkDocuments, type ContractOptions, writeDocuments } from "./contract.ts";
import { type Documents, documentsOf } from "./documents.ts";
import type { FoundApp } from "./find-app.ts";

const folder = await mkdtemp(join(tmpdir(), "ashlar-cli-"));
after(() => rm(folder, { recursive: true, force: true }));

type Shape = ReturnType<typeof object>;

interface Wanted {
  body?: Shape;
  versions?: { number: number }[];
  isGone?: boolean;
}

const one = object({ text: text({ max: 10 }) });
const two = object({ text: text({ max: 10 }), length: optional(integer({ min: 0, max: 9 })) });
const shorter = object({ text: text({ max: 9 }) });

/** An app with one service, `echo`, which has one operation. */
function declare(root: string, { body = one, versions = [{ number: 1 }], isGone = false }: Wanted): Documents {
  const say = post("/echo", { summary: "Say", body, returns: one, status: 200, access: anyone });
  const echo = service("echo", { database: "echo", summary: "Echo", operations: { say }, versions });
  const definition = { name: "a", title: "A", version: "1.0.0", contracts: isGone ? [] : [echo], services: () => [] };
  const app = { definition, variables: {} } as unknown as FoundApp["app"];
  return documentsOf({ app, root, file: join(root, "main.ts") });
}

interface Place {
  root: string;
  write(wanted: Wanted, options?: ContractOptions): Promise<string>;
  check(wanted: Wanted, options?: ContractOptions): Promise<string>;
}

/** The app in a folder of its own, with its documents written. */
async function place(name: string): Promise<Place> {
  const root = join(folder, name);
  await mkdir(join(root, "services", "echo"), { recursive: true });
  const app: Place = {
    root,
    write: async (wanted, options = {}) => writeDocuments(declare(root, wanted), options),
    check: async (wanted, options = {}) => checkDocuments(declare(root, wanted), options),
  };
  await app.write({});
  return app;
}

const written = (app: Place, file = "openapi.json") => readFile(join(app.root, "services", "echo", file), "utf8");
const breakingLine =
  /breaking {4}components\.schemas\.SayBody\.properties\.text\.maxLength: maxLength 10 -> 9: requests/;

test("check is silent about documents that are what the contract says", async () => {
  equal(await (await place("fresh")).check({}), "");
});

test("check names a compatible change with its reason and fails all the same, and write makes it", async () => {
  const app = await place("compatible");
  await rejects(app.check({ body: two }), (error: Error) => {
    match(error.message, /^the files are not what the contracts say/);
    match(
      error.message,
      /services\/echo\/openapi\.json:\n {2}compatible {2}\S+properties\.length: is new and may be left out/,
    );
    match(error.message, /Run `ashlar contract write`/);
    doesNotMatch(error.message, /breaking/);
    return true;
  });
  equal(await app.write({ body: two }), "Wrote services/echo/openapi.json\n");
  equal(await app.check({ body: two }), "");
});

test("check names a breaking change, and write refuses it and writes nothing", async () => {
  const app = await place("breaking");
  const before = await written(app);
  await rejects(app.check({ body: shorter }), breakingLine);
  await rejects(app.check({ body: shorter }), /1 of these would break clients[^]*--breaking "<reason>"/);
  await rejects(app.write({ body: shorter }), /^Error: nothing is written, since a change breaks clients/);
  await rejects(app.write({ body: shorter }), breakingLine);
  equal(await written(app), before);
});

test("write makes a breaking change for a reason, which is recorded beside the documents", async () => {
  const app = await place("meant");
  equal(
    await app.write({ body: shorter }, { breaking: "Nobody uses it yet" }),
    "Wrote services/echo/breaking-changes.json\nWrote services/echo/openapi.json\n",
  );
  match(await written(app), /"maxLength": 9/);
  deepEqual(JSON.parse(await written(app, "breaking-changes.json")), [
    {
      reason: "Nobody uses it yet",
      changes: [
        "openapi.json components.schemas.SayBody.properties.text.maxLength: maxLength 10 -> 9: requests that were accepted are refused",
      ],
    },
  ]);
  equal(await app.check({ body: shorter }), "");
});

test("a new version of the API is the way out: it breaks nothing", async () => {
  const app = await place("version");
  const versions = [{ number: 1 }, { number: 2 }];
  await rejects(app.check({ versions }), /compatible {2}paths\["\/v2\/echo"\]\.post: is new/);
  equal(await app.write({ versions }), "Wrote services/echo/openapi.json\n");
});

test("against an earlier folder, only what breaks clients fails, also after it was written", async () => {
  const app = await place("against");
  const earlier = join(folder, "against-earlier");
  await cp(app.root, earlier, { recursive: true });
  const against = { against: earlier };
  equal(await app.check({}, against), `Nothing changed since the folder ${earlier}.\n`);

  await app.write({ body: two });
  match(
    await app.check({ body: two }, against),
    /nothing breaks clients.*\n\n.*\n {2}compatible {2}\S+: is new and may/,
  );

  await app.write({ body: shorter }, { breaking: "First" });
  match(await app.check({ body: shorter }, against), /accepted {4}\S+maxLength: .* \(First\)/);

  await rm(join(app.root, "services", "echo", "breaking-changes.json"));
  await rejects(app.check({ body: shorter }, against), /since the folder .*against-earlier, a change breaks clients/);

  await app.write({ body: shorter }, { ...against, breaking: "Second" });
  match(await app.check({ body: shorter }, against), /accepted {4}\S+maxLength: .* \(Second\)/);
});

test("what is recorded covers the change it names and no other at the same place", async () => {
  const app = await place("recorded");
  const earlier = join(folder, "recorded-earlier");
  await cp(app.root, earlier, { recursive: true });
  await app.write({ body: shorter }, { breaking: "Nine is enough" });
  match(await app.check({ body: shorter }, { against: earlier }), /accepted/);
  const shortest = object({ text: text({ max: 8 }) });
  await rejects(app.check({ body: shortest }, { against: earlier }), /maxLength 10 -> 8/);
});

test("a service that is gone has broken its promise, and its files are named", async () => {
  const app = await place("gone");
  const earlier = join(folder, "gone-earlier");
  await cp(app.root, earlier, { recursive: true });
  await rejects(
    app.check({ isGone: true }),
    /services\/echo\/openapi\.json is of no service any more\n {2}breaking {4}paths\["\/v1\/echo"\]\.post: is removed/,
  );
  await rm(join(app.root, "services"), { recursive: true });
  equal(await app.check({ isGone: true }), "");
  await rejects(
    app.check({ isGone: true }, { against: earlier }),
    /breaking {4}paths\["\/v1\/echo"\]\.post: is removed/,
  );
});

test("a document that is no JSON is renewed, and said to be unknown", async () => {
  const app = await place("torn");
  await writeFile(join(app.root, "services", "echo", "openapi.json"), "<<<<<<< HEAD\n");
  await rejects(app.check({}), /openapi\.json was not JSON, so what changed is not known/);
  await app.write({});
  equal(await app.check({}), "");
});

test("a record that is not a list of reasons and changes is named", async () => {
  const app = await place("record");
  for (const content of ["{", "{}", '[{ "reason": 1 }]']) {
    await writeFile(join(app.root, "services", "echo", "breaking-changes.json"), content);
    await rejects(app.check({ body: two }), /breaking-changes\.json must be a list/);
  }
});

const git = (root: string, ...args: string[]) =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", ...args], {
    cwd: root,
    stdio: "pipe",
  });

const hasGit = (() => {
  try {
    return execFileSync("git", ["--version"]).length > 0;
  } catch {
    return false;
  }
})();

test("against a commit, the documents are those of that commit", { skip: !hasGit && "there is no git" }, async () => {
  const app = await place("repository/app");
  const repository = join(folder, "repository");
  git(repository, "init", "--quiet");
  git(repository, "add", "--all");
  git(repository, "commit", "--quiet", "--message", "One");
  await app.write({ body: shorter }, { breaking: "No reason" });
  await rm(join(app.root, "services", "echo", "breaking-changes.json"));
  git(repository, "commit", "--quiet", "--all", "--message", "Two");
  equal(await app.check({ body: shorter }, { against: "HEAD" }), "Nothing changed since commit HEAD.\n");
  await rejects(app.check({ body: shorter }, { against: "HEAD~1" }), /since commit HEAD~1, a change breaks clients/);
  await rejects(app.check({ body: shorter }, { against: "HEAD~1" }), breakingLine);
  for (const against of ["no-such-branch", "--output=x"])
    await rejects(app.check({}, { against }), /neither a folder nor a commit that git knows here/);
});

test("the command ends with 1 and the reason on stderr, or with 2 when it is called wrongly", async () => {
  const root = join(folder, "command");
  await mkdir(root);
  await writeFile(join(root, "package.json"), `{ "ashlar": { "app": "main.mjs" } }`);
  const contracts = `[{ name: "echo", summary: "", allOperations: {}, events: [], subscribes: [], versions: [], changes: [] }]`;
  await writeFile(
    join(root, "main.mjs"),
    `export default { definition: { title: "A", version: "1", contracts: ${contracts} }, variables: {}, readSettings() {} };`,
  );
  const ashlar = (...args: string[]) =>
    spawnSync(process.execPath, [fileURLToPath(new URL("./ashlar.js", import.meta.url)), "contract", ...args], {
      cwd: root,
      encoding: "utf8",
    });
  const checked = ashlar("check");
  deepEqual([checked.status, checked.stdout], [1, ""]);
  match(
    checked.stderr,
    /^ashlar: the files are not what the contracts say[^]*services\/echo\/openapi\.json was not there/,
  );
  const wrong = ashlar("write", "--breaking", " ");
  deepEqual([wrong.status, wrong.stdout], [2, ""]);
  match(wrong.stderr, /Say why clients may break/);
});
