// Two processes that serve one database know nothing of each other but what the database tells them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { createTestDatabase, startTestSystem, type TestAnswer } from "../testing/index.ts";
import { invoices } from "./invoices/contract.ts";
import { invoicesService } from "./invoices/service.ts";
import { migrationsOf } from "./running.ts";

const contract = invoices("2026-12-31T00:00:00Z");
const implementation = invoicesService(contract);
const { url } = await createTestDatabase({ migrations: migrationsOf(implementation) });
const start = () =>
  startTestSystem({
    definition: {
      name: "books",
      title: "Books",
      version: "0.0.0",
      contracts: [contract],
      services: () => [implementation],
    },
    settings: { databaseUrls: { [contract.database]: url } },
  });
const processes = [await start(), await start()];
const userId = encodeId("usr", uuidv7(systemClock, systemRandom));
// Each signs with keys of its own; the caller is the same.
const authorizations = await Promise.all(processes.map((one) => one.authorization({ userId, roles: ["accountant"] })));

const ask = (at: number, method: string, path: string, body: unknown, headers: Record<string, string>) =>
  processes[at % 2]!.request(method, path, { authorization: authorizations[at % 2]!, body, headers });
const invoiceOf = (number: number) => ({
  series: "RACE",
  number,
  customer: { name: "Ann" },
  lines: [{ description: "Paper", quantity: 1, unitPrice: 9.99 }],
  dueOn: "2026-03-01",
});
const statusesOf = (answers: readonly TestAnswer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);

test("fifty POSTs with one key at two processes make one row, and all that answer 201 answer the same bytes", async () => {
  for (let round = 1; round <= 20; round++) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        ask(at, "POST", "/v2/invoices", invoiceOf(round), { "idempotency-key": `race-${round}` }),
      ),
    );
    const created = answers.filter(({ status }) => status === 201);
    assert.ok(created.length > 0);
    assert.equal(new Set(created.map(({ text }) => text)).size, 1);
    for (const { status, json, text } of answers.filter(({ status }) => status !== 201))
      assert.deepEqual([status, json.error.code], [409, "IDEMPOTENCY_IN_PROGRESS"], text);
    const rows = await processes[0]!.rows("invoices", "select id from invoices where number = $1", [round]);
    assert.equal(rows.length, 1);
  }
});

test("of twelve writers with one version at two processes one gets 200 and eleven 412", async () => {
  const { json: row } = await ask(0, "POST", "/v2/invoices", invoiceOf(1_000), {});
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, at) =>
      ask(at, "PATCH", `/v2/invoices/${row.id}`, { note: `Writer ${at}` }, { "if-match": '"1.v2"' }),
    ),
  );
  assert.deepEqual(statusesOf(answers), [200, ...Array.from({ length: 11 }, () => 412)]);
});
