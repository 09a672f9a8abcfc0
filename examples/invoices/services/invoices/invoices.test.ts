import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { conformance, startTestSystem } from "ashlar/testing";
import app from "../../main.ts";
import { invoice, invoices } from "./contract.ts";

const body = (n: number) => ({
  series: "A",
  number: n,
  customer: { name: `Customer ${n}`, vatId: n % 2 === 0 ? `ATU${n}` : null },
  lines: [{ description: `Item ${n}`, quantity: 1 + (n % 5), unitPrice: n + 0.1 }],
  currency: n % 2 === 0 ? "CHF" : "EUR",
  dueOn: `2026-12-0${1 + (n % 9)}`,
  note: n % 3 === 0 ? null : `Note ${n}`,
});

// Everything the platform promises about a resource, over real HTTP.
await conformance({
  contract: invoices,
  resource: invoice,
  start: (settings) => startTestSystem({ ...app, settings }),
  callers: async (system) => ({
    able: await system.authorization({ roles: ["accountant"] }),
    other: await system.authorization({ roles: ["accountant"] }),
    stranger: await system.authorization(),
  }),
  body,
  derived: ["total"],
});

// What only this service promises.
const system = await startTestSystem(app);
const member = await system.authorization();
const accountant = await system.authorization({ roles: ["accountant"] });

test("the total is the sum of the lines, after a change too", async () => {
  const made = await system.request("POST", "/v1/invoices", { authorization: member, body: body(5) });
  equal(made.json.total, 5.1);
  const lines = [
    { description: "Work", quantity: 3, unitPrice: 0.1 },
    { description: "Travel", quantity: 1, unitPrice: 19.99 },
  ];
  const path = `/v1/invoices/${made.json.id}`;
  equal((await system.request("PATCH", path, { authorization: member, body: { lines } })).json.total, 20.29);
});

test("the owner cannot say that an invoice is paid, an accountant can, and then it stays as it is", async () => {
  const made = await system.request("POST", "/v1/invoices", { authorization: member, body: body(6) });
  const patch = (authorization: string, change: object) =>
    system.request("PATCH", `/v1/invoices/${made.json.id}`, { authorization, body: change });
  equal((await patch(member, { status: "paid" })).status, 403);
  equal((await patch(accountant, { status: "paid" })).json.status, "paid");
  const late = await patch(member, { note: "Late" });
  deepEqual([late.status, late.json.error.code], [409, "ALREADY_PAID"]);
});
