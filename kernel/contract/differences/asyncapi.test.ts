import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { asyncApi } from "../asyncapi.ts";
import { event } from "../event.ts";
import { id, integer, nullable, object, oneOf, text } from "../schema.ts";
import { service, type ServiceSpec } from "../service.ts";
import { asyncApiDifferences } from "./asyncapi.ts";
import type { Json } from "./difference.ts";

const data = { status: oneOf(["open", "paid"]), total: integer({ min: 0, max: 100 }) };
const paid = (fields: object, aggregate = "inv") =>
  event("invoice.paid", { aggregate, summary: "Paid", data: object(fields as typeof data) });

type Spec = Pick<ServiceSpec<Record<never, never>>, "events" | "subscribes">;

function invoices(spec: Spec): Json {
  const contract = service("invoices", {
    database: "invoices",
    summary: "Invoices",
    versions: [{ number: 1 }],
    ...spec,
  });
  return JSON.parse(JSON.stringify(asyncApi([contract], { title: "Invoices", version: "1.0.0" }))) as Json;
}

const lines = (before: Spec, after: Spec) =>
  asyncApiDifferences(invoices(before), invoices(after), 0).map(
    ({ place, breaking, says }) => `${breaking ? "b" : "c"} ${place}: ${says}`,
  );
const verdict = (found: readonly string[]) =>
  found.length === 0 ? "-" : found.some((line) => line.startsWith("b")) ? "b" : "c";

test("an event may say more, and keeps what it said", () => {
  const changes: [what: string, before: Spec, after: Spec, verdict: string][] = [
    ["nothing", { events: [paid(data)] }, { events: [paid(data)] }, "-"],
    ["a type is new", {}, { events: [paid(data)] }, "c"],
    ["a type goes", { events: [paid(data)] }, {}, "b"],
    ["a property is new", { events: [paid(data)] }, { events: [paid({ ...data, by: id("usr") })] }, "c"],
    ["a property goes", { events: [paid(data)] }, { events: [paid({ status: data.status })] }, "b"],
    [
      "a property may be null",
      { events: [paid(data)] },
      { events: [paid({ ...data, total: nullable(data.total) })] },
      "b",
    ],
    [
      "a property has another type",
      { events: [paid(data)] },
      { events: [paid({ ...data, total: text({ max: 9 }) })] },
      "b",
    ],
    [
      "a value is new",
      { events: [paid(data)] },
      { events: [paid({ ...data, status: oneOf(["open", "paid", "lost"]) })] },
      "b",
    ],
    ["a value goes", { events: [paid(data)] }, { events: [paid({ ...data, status: oneOf(["paid"]) })] }, "c"],
    [
      "a number may be greater",
      { events: [paid(data)] },
      { events: [paid({ ...data, total: integer({ min: 0, max: 101 }) })] },
      "b",
    ],
    ["it is about something else", { events: [paid(data)] }, { events: [paid(data, "bil")] }, "b"],
    ["a service wants one more", {}, { subscribes: ["user.deleted"] }, "c"],
    ["a service wants one less", { subscribes: ["user.deleted"] }, {}, "c"],
    [
      "a service announces what it only wanted",
      { subscribes: ["invoice.paid"] },
      { subscribes: ["invoice.paid"], events: [paid(data)] },
      "b",
    ],
    [
      "a service stops announcing what it wants",
      { subscribes: ["invoice.paid"], events: [paid(data)] },
      { subscribes: ["invoice.paid"] },
      "b",
    ],
  ];
  for (const [what, before, after, expected] of changes) {
    const found = lines(before, after);
    equal(verdict(found), expected, `${what}: ${found.join("; ")}`);
  }
});

test("a difference in an event names its message", () => {
  deepEqual(lines({ events: [paid(data)] }, { events: [paid({ ...data, total: integer({ min: 0, max: 101 }) })] }), [
    "b components.messages.invoicePaid.payload.properties.data.properties.total.maximum: maximum 100 -> 101: events may hold what clients do not expect",
  ]);
});

test("a channel that moves, and a message that is exchanged, break subscribers", () => {
  const before = invoices({ events: [paid(data)] });
  const changed = (change: (document: any) => void) => {
    const after = structuredClone(before) as any;
    change(after);
    return asyncApiDifferences(before, after, 0)
      .filter((one) => one.breaking)
      .map(({ place }) => place);
  };
  deepEqual(
    changed(({ channels }) => (channels["invoice.paid"].address = "invoices")),
    ['channels["invoice.paid"].address'],
  );
  deepEqual(
    changed(({ operations }) => (operations.invoicesSendsInvoicePaid.channel = { $ref: "#/channels/other" })),
    ["operations.invoicesSendsInvoicePaid.channel"],
  );
  deepEqual(
    changed(({ components }) => (components.messages.invoicePaid.contentType = "application/xml")),
    ["components.messages.invoicePaid.contentType"],
  );
});
