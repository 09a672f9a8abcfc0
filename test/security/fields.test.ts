// Property by property: what a client may not write, and what it never gets to see.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bulkBody, isPage, openApi, schemaOf, shapeOf } from "ashlar/contract";
import { contracts } from "../../store/services.ts";
import { openStore } from "./fixture.ts";
import { operations, type Reachable, resources, setScene } from "./operations.ts";

const store = await openStore();
const scene = await setScene(store);
const admin = await store.admin();

/** Columns that no client sees. */
const hidden = [...new Set(resources.flatMap(({ spec }) => Object.keys({ ...spec.private, deletedAt: 0 })))];
/** What the service owns, in this resource or in another, or what would be worth writing. */
const coveted = [
  ...new Set([
    ...hidden,
    ...resources.flatMap(({ spec, representation }) => [
      ...Object.keys(spec.readOnly ?? {}),
      ...Object.keys(schemaOf(representation).properties!),
    ]),
    ...["role", "isAdmin", "admin", "emailVerified", "ownerId", "tenantId", "discount", "internalNote", "_id", "$set"],
  ]),
];

/** The schema of an operation's body in version 1, or undefined. */
function bodyOf({ service, action, resource, body }: Reachable) {
  const { changes } = contracts.find(({ name }) => name === service)!;
  const shape = resource && shapeOf(resource, 1, changes);
  if (action === "bulk") return schemaOf(bulkBody(shape!.create));
  const schema =
    action === "create" ? shape!.create : action === "replace" || action === "update" ? shape!.replace : body;
  return schema && schemaOf(schema);
}

const isForOwner = ({ access }: Reachable) =>
  access.some((grant) => grant === "owner" || grant === "signedIn" || (typeof grant === "object" && "self" in grant));
const send = (operation: Reachable, body: object) =>
  store.request(operation.method, scene.pathOf(operation), {
    authorization: (isForOwner(operation) ? scene.owner : admin).authorization,
    headers: operation.method === "POST" ? {} : { "if-match": "*" },
    body,
  });

for (const operation of operations) {
  const schema = bodyOf(operation);
  if (schema === undefined) continue;
  test(`Z05 ${operation.service}.${operation.name} takes no property that its contract does not name`, async () => {
    const isBulk = operation.action === "bulk";
    const known = isBulk ? schema.properties!.items!.items!.properties! : schema.properties!;
    const more = coveted.filter((name) => !(name in known));
    assert.ok(more.length > 20);
    const values = Object.fromEntries(more.map((name) => [name, 1]));
    const before = await scene.snapshot();
    const { status, json, text } = await send(operation, isBulk ? { items: [values] } : values);
    assert.equal(status, 400, text);
    const named = json.error.details.map(({ field }: { field: string }) => field);
    for (const name of more) assert.ok(named.includes(isBulk ? `items[0].${name}` : name), name);
    assert.ok((await scene.snapshot()) === before, "rows were changed");
  });
}

test("Z05 a property that only a role may write is 403 for its owner, alone and among others", async () => {
  const restricted = resources.flatMap(({ spec }) => Object.keys(spec.writableBy ?? {}));
  assert.deepEqual(restricted, ["roles"]);
  const operation = operations.find(({ name }) => name === "updateUser")!;
  const before = await scene.snapshot();
  for (const body of [{ role: "admin" }, { name: "Renamed", role: "admin" }])
    assert.equal((await send(operation, body)).status, 403);
  const { authorization, id } = scene.owner;
  const ofVersion2 = await store.request("PATCH", `/v2/users/${id}`, { authorization, body: { roles: ["admin"] } });
  assert.equal(ofVersion2.status, 403);
  assert.ok((await scene.snapshot()) === before, "rows were changed");
});

/** Every name of a property in an answer, however deep. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)]);
}

for (const operation of operations.filter(({ method }) => method === "GET")) {
  test(`Z06 ${operation.service}.${operation.name} shows what its contract names, also when asked for more`, async () => {
    const { authorization } = isForOwner(operation) ? scene.owner : admin;
    const path = scene.pathOf(operation);
    const { status, json } = await store.request("GET", path, { authorization });
    assert.equal(status, 200);
    const schema = schemaOf(operation.returns!);
    const rows = isPage(operation.returns) ? json.data : [json];
    assert.ok(operation.name === "getCart" || rows.length > 0);
    const declared = isPage(operation.returns) ? schema.properties!.data!.items! : schema;
    const names = new Set([...Object.keys(declared.properties!), "role"]);
    for (const row of rows)
      assert.deepEqual(
        Object.keys(row).filter((name) => !names.has(name)),
        [],
      );
    const secret = hidden.filter((name) => !names.has(name));
    const found = namesIn(json);
    assert.deepEqual(
      found.filter((name) => secret.includes(name) || /hash|secret|internal|^_/i.test(name)),
      [],
    );
    for (const name of [...secret, "password", "*", "id) from users--"]) {
      const asked = await store.request("GET", `${path}?fields=${encodeURIComponent(name)}`, { authorization });
      assert.equal(asked.status, 400, name);
    }
  });
}

test("Z06 Z10 documents and events name nothing that no client may see", async () => {
  const always = hidden.filter((name) => /hash|rolesChanged|absolute/i.test(name));
  assert.deepEqual(always.toSorted(), [
    "absoluteExpiresAt",
    "passwordHash",
    "rolesChangedAt",
    "secretHash",
    "tokenHash",
  ]);
  const events = await Promise.all(
    contracts.map(({ name }) => store.rows(name, "select type, data::text as data from ashlar.outbox")),
  );
  assert.ok(events.flat().length > 5);
  const texts = [JSON.stringify(openApi(contracts, { title: "", version: "" })), JSON.stringify(events)];
  for (const text of texts) for (const name of always) assert.ok(!text.includes(`"${name}`), name);
});
