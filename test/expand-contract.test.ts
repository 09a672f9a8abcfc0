// A table changes its shape under processes that run: docs/guide/7-without-a-pause.md, with its example. The release before knows one phone
// of a contact, the next one a list; they serve side by side on one database, and the third takes the column away.

import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Logger, silentLogger } from "ashlar/base";
import { anyone, nullable, resource, type ServiceContract, service, text } from "ashlar/contract";
import { implement } from "ashlar/service";
import { createTestDatabase, startTestSystem, type TestSystem } from "ashlar/testing";
import { contacts as listed } from "../examples/contacts/services/contacts/contract.ts";

const folder = fileURLToPath(new URL("../examples/contacts/services/contacts/migrations/", import.meta.url));
const files = ["0001_contacts.sql", "0002_phones.sql", "0003_no_phone.sql"];
const { url } = await createTestDatabase();

/** The contract of the release that the example comes from. */
const onePhone = resource("contact", {
  path: "/contacts",
  id: "con",
  properties: { name: text({ min: 1, max: 100 }), phone: nullable(text({ min: 3, max: 30 })) },
  sortable: ["name"],
  access: { list: anyone, create: anyone, get: anyone, update: anyone },
});
const single = service("contacts", { summary: "People and how to reach them", resources: [onePhone] });

/** A process of a release: its contract, and as many of the migrations as it knows. */
async function startRelease(contract: ServiceContract, known: number, log: Logger = silentLogger): Promise<TestSystem> {
  const migrations = await mkdtemp(join(tmpdir(), "ashlar-release-"));
  after(() => rm(migrations, { recursive: true }));
  for (const file of files.slice(0, known)) await copyFile(folder + file, join(migrations, file));
  const implementation = implement(contract, { migrations: pathToFileURL(`${migrations}/`), handlers: {} });
  return startTestSystem({
    definition: {
      name: "contacts",
      title: "Contacts",
      version: "0.0.0",
      contracts: [contract],
      services: () => [implementation],
    },
    settings: { databaseUrls: { contacts: url } },
    log,
    topology: "single",
  });
}

async function create({ request }: TestSystem, version: number, body: object): Promise<string> {
  const { status, json, text: said } = await request("POST", `/v${version}/contacts`, { body });
  assert.equal(status, 201, said);
  return json.id;
}

async function update({ request }: TestSystem, version: number, id: string, body: object): Promise<void> {
  const { status, text: said } = await request("PATCH", `/v${version}/contacts/${id}`, { body });
  assert.equal(status, 200, said);
}

/** What each of them says of a contact, by version: `+1 234`, or a list. */
async function phonesOf(id: string, ...asked: [system: TestSystem, version: number][]): Promise<unknown[]> {
  return Promise.all(
    asked.map(async ([{ request }, version]) => {
      const { json } = await request("GET", `/v${version}/contacts/${id}`);
      const { json: list } = await request("GET", `/v${version}/contacts?sort=name&limit=100`);
      assert.deepEqual(list.data.find((one: { id: string }) => one.id === id)?.phone, json.phone);
      return json.phones ?? json.phone;
    }),
  );
}

test("old and new serve and write side by side while a table is expanded, the old one starts again, then it is contracted", async () => {
  const old = await startRelease(single, 1);
  const before = await create(old, 1, { name: "Before", phone: "+1 111" });

  const next = await startRelease(listed, 2);
  const sides: [TestSystem, number][] = [
    [old, 1],
    [next, 1],
    [next, 2],
  ];
  assert.deepEqual(await phonesOf(before, ...sides), ["+1 111", "+1 111", ["+1 111"]]);
  const ofOld = await create(old, 1, { name: "Of the old one", phone: "+1 222" });
  assert.deepEqual(await phonesOf(ofOld, ...sides), ["+1 222", "+1 222", ["+1 222"]]);
  const ofNew = await create(next, 2, { name: "Of the new one", phones: ["+1 333", "+1 444"] });
  assert.deepEqual(await phonesOf(ofNew, ...sides), ["+1 333", "+1 333", ["+1 333", "+1 444"]]);
  // Each changes what the other made; what the old one does not know stays.
  await update(old, 1, ofNew, { phone: "+1 555" });
  assert.deepEqual(await phonesOf(ofNew, ...sides), ["+1 555", "+1 555", ["+1 555", "+1 444"]]);
  await update(next, 2, ofOld, { phones: ["+1 666", "+1 777"] });
  await update(old, 1, ofOld, { name: "Renamed by the old one" });
  assert.deepEqual(await phonesOf(ofOld, ...sides), ["+1 666", "+1 666", ["+1 666", "+1 777"]]);
  await update(old, 1, before, { phone: null });
  assert.deepEqual(await phonesOf(before, ...sides), [null, null, []]);

  const said: string[] = [];
  const hearing: Logger = { ...silentLogger, warn: (_, message) => void said.push(message), child: () => hearing };
  const again = await startRelease(single, 1, hearing);
  assert.match(said.join(), /The database was migrated by a newer version/);
  const ofAgain = await create(again, 1, { name: "Of the old one, started again", phone: "+1 888" });
  assert.deepEqual(await phonesOf(ofAgain, [again, 1], [next, 2]), ["+1 888", ["+1 888"]]);

  for (const { system } of [old, again]) await system.stop();
  const last = await startRelease(listed, 3);
  const ofLast = await create(last, 2, { name: "Of the last one", phones: ["+1 999"] });
  const ofNewStill = await create(next, 2, { name: "Of the new one still", phones: ["+1 000"] });
  assert.deepEqual(await phonesOf(ofLast, [next, 1], [last, 2]), ["+1 999", ["+1 999"]]);
  assert.deepEqual(await phonesOf(ofNewStill, [next, 2], [last, 1]), [["+1 000"], "+1 000"]);

  await assert.rejects(startRelease(single, 1), /contacts\.phone is missing/);
});
