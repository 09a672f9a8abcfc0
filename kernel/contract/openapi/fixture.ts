// A small system for the tests of the documents: two versions, a nested list, an internal operation.

import { anyone, either, role, self, servicesOnly } from "../access.ts";
import { errorCode, errors } from "../errors.ts";
import { event } from "../event.ts";
import { get, patch, post, put } from "../operation.ts";
import { listUnder } from "../standard-operations.ts";
import { resource } from "../resource.ts";
import {
  currency,
  email,
  id,
  integer,
  list,
  moment,
  money,
  nullable,
  object,
  oneOf,
  optional,
  text,
} from "../schema.ts";
import { service } from "../service.ts";
import { change } from "../version.ts";

const roles = ["member", "admin"] as const;

export const user = resource("user", {
  path: "/users",
  id: "usr",
  properties: {
    email: email(),
    name: text({ min: 1, max: 100 }),
    roles: list(oneOf(roles), { max: 4, default: ["member"] }),
  },
  readOnly: { emailVerifiedAt: nullable(moment()) },
  createOnly: { password: text({ min: 8, max: 128 }) },
  private: { passwordHash: text({ max: 200 }) },
  filterable: ["roles"],
  sortable: ["name", "email"],
  searchable: ["name", "email"],
  unique: [["email"]],
  writableBy: { roles: role("admin") },
  softDelete: { restorableBy: role("admin") },
  access: {
    create: anyone,
    bulk: role("admin"),
    list: role("admin"),
    get: either(self("id"), role("admin")),
    replace: either(self("id"), role("admin")),
    update: either(self("id"), role("admin")),
    remove: either(self("id"), role("admin")),
  },
});

const session = resource("session", {
  path: "/users/{userId}/sessions",
  id: "ses",
  properties: { userId: id("usr"), userAgent: nullable(text({ max: 500 })) },
  owner: "userId",
  events: false,
  access: { list: either(self("userId"), role("admin")), remove: either(self("userId"), role("admin")) },
});

export const identity = service("identity", {
  database: "users",
  summary: "Who is who",
  resources: [user, session],
  operations: {
    login: post("/auth/login", {
      summary: "Log in",
      body: object({ email: email(), password: text({ max: 128 }) }),
      returns: object({
        accessToken: text({ max: 4096 }),
        tokenType: oneOf(["Bearer"]),
        expiresIn: integer({ min: 1, max: 900 }),
      }),
      status: 200,
      access: anyone,
      errors: [errors.unauthenticated],
      limit: { class: "auth", account: "email" },
      secret: true,
      unversioned: true,
    }),
    changePassword: put("/users/{id}/password", {
      summary: "Change the password",
      params: { id: id("usr") },
      body: object({ currentPassword: text({ max: 128 }), newPassword: text({ min: 8, max: 128 }) }),
      access: self("id"),
    }),
    findUsers: get("/internal/users", {
      summary: "Find users by id",
      query: { ids: text({ max: 4096 }) },
      returns: object({ ids: list(id("usr"), { max: 100 }) }),
      access: servicesOnly,
    }),
  },
  versions: [{ number: 1, deprecatedAt: "2026-06-01T00:00:00Z", sunsetAt: "2027-06-01T00:00:00Z" }, { number: 2 }],
  changes: [
    change(user, {
      until: 1,
      removes: ["roles"],
      adds: { role: oneOf(roles, { default: "member" }) },
      toOlder: ({ roles: all, ...rest }) => (all === undefined ? rest : { ...rest, role: (all as string[])[0] }),
      toNewer: ({ role: one, ...rest }) => (one === undefined ? rest : { ...rest, roles: [one] }),
      renames: { role: "roles" },
    }),
  ],
});

const line = object({ productId: id("prd"), quantity: integer({ min: 1, max: 999 }) });
const cart = object({ userId: id("usr"), items: list(line, { max: 100 }), total: money(), currency: currency() });

export const order = resource("order", {
  path: "/orders",
  id: "ord",
  properties: { status: oneOf(["pending", "confirmed", "cancelled"], { default: "pending" }) },
  readOnly: {
    userId: id("usr"),
    items: list(line, { max: 100 }),
    total: money(),
    currency: currency(),
    position: integer(),
  },
  filterable: ["status", "total", "position"],
  sortable: ["total", "status"],
  owner: "userId",
  precondition: "required",
  events: { created: "order.created", deleted: false },
  access: {
    list: either(["owner"], role("admin")),
    get: either(["owner"], role("admin")),
    update: either(["owner"], role("admin")),
    remove: role("admin"),
  },
});

export const orders = service("orders", {
  database: "orders",
  summary: "Carts and orders",
  resources: [order],
  operations: {
    listOrdersOfUser: listUnder(order, "/users/{userId}/orders", either(self("userId"), role("admin"))),
    placeOrder: post("/orders", {
      summary: "Place an order",
      description: "Takes the cart when no items are named.",
      body: object({
        items: optional(list(line, { min: 1, max: 100 })),
        expectedTotal: optional(money()),
        note: text({ max: 200, default: "" }),
      }),
      returns: order,
      access: ["signedIn"],
      errors: [errorCode("INSUFFICIENT_STOCK", 409, "There is not enough of a product"), errors.unprocessable],
      emits: [order.events.created!],
    }),
    getCart: get("/users/{id}/cart", {
      summary: "Read the cart",
      params: { id: id("usr") },
      returns: cart,
      access: self("id"),
    }),
    changeCart: patch("/users/{id}/cart", {
      summary: "Change the cart",
      params: { id: id("usr") },
      body: object({ items: list(line, { max: 100 }) }),
      returns: cart,
      access: self("id"),
    }),
    quotePrice: get("/quotes", {
      summary: "Ask for a price",
      query: { productId: id("prd"), quantity: optional(integer({ min: 1, max: 999 })) },
      returns: object({ price: money() }),
      access: anyone,
    }),
  },
  events: [
    event("order.confirmed", { aggregate: "ord", summary: "An order was confirmed", data: object({ total: money() }) }),
  ],
  subscribes: ["user.deleted", "stock.committed"],
  versions: [{ number: 1 }],
});
