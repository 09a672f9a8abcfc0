import {
  currency,
  day,
  either,
  errorCode,
  id,
  integer,
  list,
  money,
  nullable,
  object,
  oneOf,
  owner,
  resource,
  role,
  service,
  text,
} from "ashlar/contract";

const line = object({
  description: text({ min: 1, max: 200 }),
  quantity: integer({ min: 1, max: 1000 }),
  unitPrice: money({ max: 1_000_000 }),
});

const mine = either(owner, role("accountant"));

export const alreadyPaid = errorCode("ALREADY_PAID", 409, "A paid invoice is not changed any more");

export const invoice = resource("invoice", {
  path: "/invoices",
  id: "inv",
  properties: {
    series: text({ min: 1, max: 10, pattern: "^[A-Z0-9-]+$" }),
    number: integer({ min: 1 }),
    status: oneOf(["draft", "sent", "paid"], { default: "draft" }),
    customer: object({ name: text({ min: 1, max: 200 }), vatId: nullable(text({ max: 20 })) }),
    lines: list(line, { min: 1, max: 100 }),
    currency: currency({ default: "EUR" }),
    dueOn: day(),
    note: nullable(text({ max: 1000 })),
  },
  readOnly: { ownerId: id("usr"), total: money() },
  filterable: ["series", "number", "status", "currency", "dueOn", "total"],
  sortable: ["number", "dueOn", "total"],
  searchable: ["note"],
  unique: [["series", "number"]],
  owner: "ownerId",
  writableBy: { status: role("accountant") },
  softDelete: true,
  access: { list: mine, create: mine, get: mine, replace: mine, update: mine, remove: mine },
  errors: { replace: [alreadyPaid], update: [alreadyPaid] },
});

export const invoices = service("invoices", { summary: "Invoices", resources: [invoice] });
