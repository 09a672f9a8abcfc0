// A service for the tests of this folder, with what the store has not: nullable properties, days,
// nested objects and lists of them, arrays, a composite unique key, rows with an owner, and a version
// that is deprecated and switched off.

import {
  type ApiVersion,
  change,
  currency,
  day,
  either,
  errors,
  flag,
  get,
  id,
  integer,
  list,
  moment,
  money,
  nullable,
  object,
  oneOf,
  optional,
  owner,
  resource,
  role,
  service,
  signedIn,
  text,
} from "../../contract/index.ts";

const states = ["draft", "sent", "paid", "void"] as const;
const all = either(owner, role("accountant"));

export const invoice = resource("invoice", {
  path: "/invoices",
  id: "inv",
  properties: {
    series: text({ min: 1, max: 20, pattern: "^[A-Z0-9-]+$" }),
    number: integer({ min: 1 }),
    status: oneOf(states, { default: "draft" }),
    customer: object({
      name: text({ min: 1, max: 200 }),
      vatId: nullable(text({ max: 20 })),
      address: nullable(
        object({ street: text({ max: 200 }), city: text({ min: 1, max: 100 }), country: oneOf(["AT", "CH", "DE"]) }),
      ),
    }),
    lines: list(
      object({ description: text({ min: 1, max: 200 }), quantity: integer({ min: 1, max: 999 }), unitPrice: money() }),
      { min: 1, max: 50 },
    ),
    tags: list(text({ min: 1, max: 30 }), { max: 10, unique: true, default: [] }),
    dueOn: day(),
    sentAt: nullable(moment()),
    discount: nullable(money()),
    currency: currency({ default: "EUR" }),
    reverseCharge: flag({ default: false }),
    note: nullable(text({ max: 1000 })),
    approved: flag({ default: false }),
  },
  readOnly: { ownerId: id("usr") },
  private: { remark: nullable(text({ max: 200 })) },
  filterable: [
    "series",
    "number",
    "status",
    "tags",
    "dueOn",
    "sentAt",
    "discount",
    "reverseCharge",
    "ownerId",
    "updatedAt",
  ],
  sortable: ["series", "number", "dueOn", "status", "reverseCharge", "updatedAt"],
  searchable: ["note", "series"],
  unique: [["series", "number"]],
  writableBy: { approved: role("accountant") },
  owner: "ownerId",
  softDelete: { restorableBy: role("accountant") },
  cache: { ttlMs: 600_000, staleMs: 60_000, negativeMs: 60_000 },
  access: { list: all, create: all, bulk: all, get: all, replace: all, update: all, remove: all },
});

/** Without an owner's column in the body, soft deletion, events or PUT: the other half of the switches. */
export const reminder = resource("reminder", {
  path: "/users/{userId}/reminders",
  id: "rem",
  properties: { about: text({ max: 100 }), at: moment() },
  readOnly: { userId: id("usr") },
  precondition: "required",
  owner: "userId",
  events: false,
  cache: { ttlMs: 600_000 },
  access: {
    list: either(owner),
    create: either(owner),
    get: either(owner),
    update: either(owner),
    remove: either(owner),
  },
});

/** Version 1 called the status a state, and knew no more of the customer than a name. */
const firstShape = change(invoice, {
  until: 1,
  removes: ["status", "customer"],
  adds: { state: oneOf(states, { default: "draft" }), customerName: text({ min: 1, max: 200 }) },
  toOlder: ({ status, customer, ...rest }) => ({
    ...rest,
    state: status,
    customerName: (customer as { name: string }).name,
  }),
  // `slice` would throw on anything but text: a translation may trust that the body was validated.
  toNewer: ({ state, customerName, ...rest }) => ({
    ...rest,
    ...(state === undefined ? {} : { status: state }),
    ...(customerName === undefined
      ? {}
      : { customer: { name: (customerName as string).slice(0), vatId: null, address: null } }),
  }),
  renames: { state: "status" },
});

const sum = object({
  from: nullable(day()),
  status: nullable(oneOf(states)),
  atLeast: integer({ min: 0 }),
  count: integer({ min: 0 }),
});

/** `sunsetAt` ends version 1, which has been deprecated for a month when the tests begin. */
export function invoices(sunsetAt: string) {
  const versions: readonly ApiVersion[] = [
    { number: 1, deprecatedAt: "2025-12-01T00:00:00Z", sunsetAt },
    { number: 2 },
  ];
  return service("invoices", {
    database: "invoices",
    summary: "Invoices, for tests",
    versions,
    changes: [firstShape],
    resources: [invoice, reminder],
    operations: {
      countInvoices: get("/invoice-count", {
        summary: "How many there are: an operation with parameters of its own",
        query: {
          status: optional(oneOf(states)),
          from: optional(day()),
          atLeast: integer({ min: 0, max: 10, default: 0 }),
        },
        returns: sum,
        access: signedIn,
        limit: { class: "counting" },
        errors: [errors.unprocessable],
      }),
    },
  });
}
