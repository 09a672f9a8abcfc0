// What the conformance suite cannot know of a contract in general, on the test contract.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { startTestSystem, type TestAnswer, type TestRequest } from "../testing/index.ts";
import { invoices } from "./invoices/contract.ts";
import { invoicesService } from "./invoices/service.ts";

const sunsetAt = "2026-01-01T00:01:00Z";
const contract = invoices(sunsetAt);
const system = await startTestSystem({
  definition: {
    name: "books",
    title: "Books",
    version: "0.0.0",
    contracts: [contract],
    services: () => [invoicesService(contract)],
  },
});
const newUser = () => encodeId("usr", uuidv7(systemClock, systemRandom));
const userId = newUser();
const member = await system.authorization({ userId });
const stranger = await system.authorization({ userId: newUser() });
const accountant = await system.authorization({ userId: newUser(), roles: ["accountant"] });

const ask = (method: string, path: string, request: TestRequest = {}): Promise<TestAnswer> =>
  system.request(method, path, { authorization: member, ...request });
const fieldsOf = ({ status, json, text }: TestAnswer, expected = 400) => {
  assert.equal(status, expected, text);
  return json.error.details.map(({ field }: { field: string }) => field);
};

let number = 0;
const customer = { name: "Ann", vatId: "ATU1", address: { street: "Hof 1", city: "Wien", country: "AT" } };
const lines = [{ description: "Advice", quantity: 1, unitPrice: 80 }];
async function anInvoice(values: object = {}): Promise<Record<string, unknown>> {
  const { status, json, text } = await ask("POST", "/v2/invoices", {
    body: { series: "P", number: ++number, customer, lines, dueOn: "2026-03-01", ...values },
  });
  assert.equal(status, 201, text);
  return json;
}

test("a property that only a role may write is 403 for the others when the body would change it", async () => {
  const {
    id,
    version: _version,
    createdAt: _createdAt,
    updatedAt: _updatedAt,
    ownerId: _ownerId,
    ...body
  } = await anInvoice();
  const path = `/v2/invoices/${String(id)}`;
  assert.deepEqual(
    fieldsOf(await ask("POST", "/v2/invoices", { body: { ...body, number: ++number, approved: true } })),
    ["approved"],
  );
  for (const [method, sent] of [
    ["PATCH", { approved: true }],
    ["PUT", { ...body, approved: true }],
  ] as const) {
    const refused = await ask(method, path, { body: sent });
    assert.deepEqual([refused.status, refused.json.error.code], [403, "FORBIDDEN"]);
  }
  // Naming it without changing it is no offence, nor is leaving it out.
  assert.equal((await ask("PATCH", path, { body: { approved: false, note: "x" } })).status, 200);
  assert.equal((await ask("PATCH", path, { body: { approved: true }, authorization: accountant })).json.approved, true);
  const { approved: _approved, ...without } = body;
  assert.equal((await ask("PUT", path, { body: without })).json.approved, true);
  assert.equal((await ask("PATCH", path, { body: { approved: null } })).status, 403);
  assert.equal((await ask("PUT", path, { body: without, authorization: accountant })).json.approved, false);
});

test("a PATCH in an older version keeps what that version does not show", async () => {
  const { id } = await anInvoice({ status: "sent" });
  const older = await ask("PATCH", `/v1/invoices/${String(id)}`, {
    body: { note: "by an old client", customerName: "Ann" },
  });
  assert.deepEqual(
    [older.status, older.json.state, older.json.customerName, older.json.version],
    [200, "sent", "Ann", 2],
  );
  assert.deepEqual((await ask("GET", `/v2/invoices/${String(id)}`)).json.customer, customer);
  const renamed = await ask("PATCH", `/v1/invoices/${String(id)}`, { body: { customerName: "Bob" } });
  assert.equal(renamed.json.version, 3);
  assert.deepEqual((await ask("GET", `/v2/invoices/${String(id)}`)).json.customer, {
    name: "Bob",
    vatId: null,
    address: null,
  });
});

test("a body in an older version is validated before it is translated", async () => {
  const { id } = await anInvoice();
  const path = `/v1/invoices/${String(id)}`;
  for (const method of ["PATCH", "PUT", "POST"]) {
    const body = { series: "P", number: ++number, customerName: 5, state: {}, lines, dueOn: "2026-03-01" };
    assert.deepEqual(fieldsOf(await ask(method, method === "POST" ? "/v1/invoices" : path, { body })).toSorted(), [
      "customerName",
      "state",
    ]);
  }
  assert.deepEqual(fieldsOf(await ask("PATCH", path, { body: { customerName: null } })), ["customerName"]);
  assert.deepEqual(fieldsOf(await ask("PATCH", path, { body: { customer } })), ["customer"]);
});

test("filters, sort and fields of an older version go by its names", async () => {
  const { id } = await anInvoice({ status: "void" });
  const list = await ask("GET", "/v1/invoices?state=void&sort=-state&fields=id,state");
  assert.deepEqual(list.json.data, [{ id, state: "void" }]);
  assert.deepEqual(fieldsOf(await ask("GET", "/v1/invoices?status=void&sort=status")).toSorted(), ["sort", "status"]);
  assert.deepEqual(fieldsOf(await ask("GET", "/v1/invoices?fields=status")), ["fields"]);
});

test("the parameters of an operation of one's own are read strictly, filled with defaults and validated", async () => {
  const { json } = await ask("GET", "/v2/invoice-count?status=void");
  assert.deepEqual(json, { status: "void", from: null, atLeast: 0, count: json.count });
  assert.equal((await ask("GET", "/v2/invoice-count?atLeast=3&from=2026-01-01")).json.atLeast, 3);
  const wrong = await ask("GET", "/v2/invoice-count?status=nonsense&from=2026-02-30&atLeast=11&nonsense=1");
  assert.deepEqual(fieldsOf(wrong).toSorted(), ["atLeast", "from", "nonsense", "status"]);
  for (const value of ["1.5", "x", "-1", "", "1&atLeast=1"])
    assert.deepEqual(fieldsOf(await ask("GET", `/v2/invoice-count?atLeast=${value}`)), ["atLeast"]);
  assert.deepEqual(fieldsOf(await ask("GET", "/v2/invoice-count?constructor=1&toString=1")).toSorted(), [
    "constructor",
    "toString",
  ]);
});

test("a row belongs to the user of its address, who is the only one to find anything there", async () => {
  const path = `/v2/users/${userId}/reminders`;
  const created = await ask("POST", path, { body: { about: "x", at: "2026-02-01T00:00:00Z" } });
  assert.deepEqual(
    [created.status, created.json.userId, created.headers.get("location")],
    [201, userId, `${path}/${created.json.id}`],
  );
  for (const [method, address] of [
    ["GET", path],
    ["POST", path],
    ["GET", `${path}/${created.json.id}`],
  ] as const) {
    const body = method === "POST" ? { body: { about: "y", at: "2026-02-01T00:00:00Z" } } : {};
    assert.equal((await ask(method, address, { authorization: stranger, ...body })).status, 404);
  }
  assert.equal((await ask("GET", path)).json.pagination.total, 1);
});

test("an Idempotency-Key is forgotten after a day, and not before", async () => {
  const body = { series: "K", number: 1, customer, lines, dueOn: "2026-03-01" };
  const post = async (values: object) =>
    ask("POST", "/v2/invoices", {
      authorization: await system.authorization({ userId }),
      headers: { "idempotency-key": "of-the-day" },
      body: { ...body, ...values },
    });
  const first = await post({});
  const day = 24 * 60 * 60 * 1000;
  // A day of polling would only take time.
  for (const service of system.system.services.values()) await service.stop();
  await system.clock.advance(day - 1000);
  const replayed = await post({});
  assert.deepEqual(
    [replayed.status, replayed.text, replayed.headers.get("idempotent-replayed")],
    [201, first.text, "true"],
  );
  await system.clock.advance(1000);
  const again = await post({ number: 2 });
  assert.deepEqual([again.status, again.headers.get("idempotent-replayed")], [201, null], again.text);
});

test("past its sunset a version is 410, however it is asked for, and says what came after it", async () => {
  assert.ok(system.clock.nowMs() > Date.parse(sunsetAt));
  const authorization = await system.authorization({ userId });
  for (const [path, headers] of [
    ["/v1/invoices", {}],
    ["/invoices", {}],
    ["/invoices?version=1", {}],
    ["/invoices", { accept: "application/json;version=1" }],
  ] as const) {
    const answer = await ask("GET", path, { authorization, headers });
    assert.deepEqual([answer.status, answer.json.error.code], [410, "GONE"]);
    assert.equal(answer.headers.get("deprecation"), "@1764547200");
    assert.equal(answer.headers.get("sunset"), "Thu, 01 Jan 2026 00:01:00 GMT");
    assert.match(answer.headers.get("link")!, /<\/v2\/invoices>; rel="successor-version"/);
  }
  assert.equal((await ask("GET", "/v2/invoices", { authorization })).status, 200);
});
