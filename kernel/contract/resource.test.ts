import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { anyone, owner, role } from "./access.ts";
import { order, user } from "./openapi/fixture.ts";
import { createBody, replaceBody } from "./bodies.ts";
import { listUnder, standardOperations } from "./standard-operations.ts";
import { type Resource, resource, restorersOf } from "./resource.ts";
import { snakeCase } from "./naming.ts";
import { id, integer, list, nullable, object, optional, schemaOf, text, type TSchema } from "./schema.ts";
import { service } from "./service.ts";
import { compileValidator } from "./validate.ts";

const propertiesOf = (schema: TSchema) => Object.keys(schemaOf(schema).properties!);
const general: Resource = user;
const minimal = { path: "/things", id: "thg", access: { list: anyone } };

test("an answer shows id, properties, version and times, all required, and nothing private or create-only", () => {
  const shown = ["id", "email", "name", "roles", "emailVerifiedAt", "version", "createdAt", "updatedAt"];
  deepEqual(propertiesOf(user.representation), shown);
  deepEqual(schemaOf(user.representation).required, shown);
  deepEqual(Object.keys(user.columns).includes("passwordHash"), true);
});

test("a create takes writable and create-only properties, without those that need a role", () => {
  deepEqual(propertiesOf(createBody(general.spec)), ["email", "name", "password"]);
});

test("who may restore a row is named by roles, and only then is there something to restore", () => {
  const deletedSo = (softDelete: Resource["spec"]["softDelete"]) =>
    resource("thing", { ...minimal, properties: {}, ...(softDelete === undefined ? {} : { softDelete }) });
  deepEqual(restorersOf(deletedSo({ restorableBy: role("admin") })), role("admin"));
  deepEqual([restorersOf(deletedSo(true)), restorersOf(deletedSo(undefined))], [undefined, undefined]);
  throws(() => deletedSo({ restorableBy: anyone }), /Who may restore a thing is a matter of roles/);
  deepEqual(
    [true, undefined].map((softDelete) => "deletedAt" in deletedSo(softDelete).columns),
    [true, false],
  );
});

test("a bulk create takes 1 to 100 of what a create takes, and gives as many rows", () => {
  const { createUsers } = standardOperations(general);
  deepEqual(
    [createUsers!.method, createUsers!.path, createUsers!.status, createUsers!.idempotent, createUsers!.repeatable],
    ["POST", "/users/bulk", 201, true, false],
  );
  const { items } = schemaOf(createUsers!.body!).properties!;
  deepEqual([items!.minItems, items!.maxItems], [1, 100]);
  deepEqual(propertiesOf(items!.items as TSchema), ["email", "name", "password"]);
});

test("a replace takes writable properties and, optionally, the version", () => {
  const schema = replaceBody(general.spec);
  deepEqual(propertiesOf(schema), ["email", "name", "roles", "version"]);
  deepEqual(schemaOf(schema).required, ["email", "name"]);
});

test("server-owned properties in a body are refused", () => {
  const body = {
    email: "ada@example.com",
    name: "Ada",
    password: "long enough",
    id: "usr_1",
    createdAt: "2026-01-01T00:00:00Z",
    version: 1,
    role: "admin",
  };
  deepEqual(
    compileValidator(createBody(general.spec))(body).map(({ field }) => field),
    ["id", "createdAt", "version", "role"],
  );
});

test("the operations are those that access names, under predictable names and paths", () => {
  const operations = standardOperations(order);
  deepEqual(
    Object.entries(operations).map(([name, { method, path, status }]) => [name, method, path, status]),
    [
      ["listOrders", "GET", "/orders", 200],
      ["getOrder", "GET", "/orders/{id}", 200],
      ["updateOrder", "PATCH", "/orders/{id}", 200],
      ["deleteOrder", "DELETE", "/orders/{id}", 204],
    ],
  );
  equal(operations.getOrder!.summary, "Read an order");
  equal(operations.deleteOrder!.returns, undefined);
});

test("of the standard operations only creates are idempotent by key, and creates and update are not repeatable", () => {
  const all = standardOperations(user);
  deepEqual(
    Object.keys(all).filter((name) => all[name]!.idempotent),
    ["createUser", "createUsers"],
  );
  deepEqual(
    Object.keys(all).filter((name) => !all[name]!.repeatable),
    ["createUser", "createUsers", "updateUser"],
  );
});

test("events are named after the resource, and may be renamed or dropped", () => {
  deepEqual(
    Object.values(user.events).map(({ type }) => type),
    ["user.created", "user.updated", "user.deleted"],
  );
  deepEqual(
    Object.values(order.events).map(({ type }) => type),
    ["order.created", "order.updated"],
  );
  const untouched = resource("thing", { ...minimal, properties: {} });
  deepEqual(untouched.events, {}, "no operation causes one");
  const quiet = resource("thing", {
    ...minimal,
    properties: {},
    events: { created: "thing.registered", updated: false, deleted: false },
  });
  deepEqual(
    Object.values(quiet.events).map(({ type, summary }) => [type, summary]),
    [["thing.registered", "A thing was registered"]],
  );
  deepEqual(resource("thing", { ...minimal, properties: {}, events: false }).events, {});
});

test("a second address of a list takes its parameters from the resource", () => {
  const operation = listUnder(order, "/users/{userId}/orders", role("admin"));
  deepEqual(
    [operation.path, operation.action, Object.keys(operation.params)],
    ["/users/{userId}/orders", "list", ["userId"]],
  );
  deepEqual(operation.access, role("admin"));
});

test("a mistake in a declaration is refused with the name of the property", () => {
  throws(
    () => resource("thing", { ...minimal, properties: { note: optional(text({ max: 5 })) } }),
    /Property note of thing is optional/,
  );
  throws(
    () => resource("thing", { ...minimal, properties: { size: integer() }, filterable: ["color" as never] }),
    /"filterable" of resource thing names "color", .* It has id, size, version, createdAt, updatedAt/,
  );
  throws(
    () => resource("thing", { ...minimal, properties: { note: nullable(integer()) }, sortable: ["note"] }),
    /"sortable" of resource thing cannot have "note": a sort key/,
  );
  const parts = list(object({}), { max: 3 });
  throws(
    () => resource("thing", { ...minimal, properties: { parts }, sortable: ["parts"] }),
    /"sortable" of resource thing cannot have "parts"/,
  );
  throws(
    () => resource("thing", { ...minimal, properties: { parts }, filterable: ["parts"] }),
    /"filterable" of resource thing cannot have "parts": an object/,
  );
  throws(
    () => resource("thing", { ...minimal, properties: { size: integer() }, searchable: ["size"] }),
    /"searchable" of resource thing cannot have "size": q looks into text/,
  );
});

test("an owner is a property that holds the id of a user", () => {
  const mine = { ...minimal, properties: {}, access: { list: owner } };
  throws(() => resource("thing", mine), /Say in "owner" which property/);
  throws(
    () => resource("thing", { ...mine, owner: "userId" as never }),
    /owner of thing, "userId", .* Add userId: id\("usr"\) to readOnly/,
  );
  throws(() => resource("thing", { ...mine, readOnly: { by: id("cus") }, owner: "by" }), /holds the id of a user/);
  equal(resource("thing", { ...mine, readOnly: { by: id("usr") }, owner: "by" }).spec.owner, "by");
});

test("a name of several words is written in camelCase; its events are in snake case", () => {
  const note = resource("creditNote", { ...minimal, properties: {}, access: { list: anyone, create: anyone } });
  deepEqual(Object.keys(standardOperations(note)), ["listThings", "createCreditNote"]);
  equal(note.events.created!.type, "credit_note.created");
  throws(() => resource("credit-note", { ...minimal, properties: {} }), /Write it like creditNote/);
});

test("the table is the last word of the path in snake case", () => {
  equal(
    resource("line", { ...minimal, path: "/orders/{orderId}/order-lines", properties: { orderId: id("ord") } }).table,
    "order_lines",
  );
  equal(snakeCase("emailVerifiedAt"), "email_verified_at");
});

test("a service refuses one code with two statuses, and a custom operation in the place of another path", () => {
  const torn = resource("thing", {
    ...minimal,
    properties: {},
    errors: { list: [{ code: "NOT_FOUND", status: 410, meaning: "" }] },
  });
  const fine = resource("thing", {
    ...minimal,
    properties: {},
    errors: { list: [{ code: "ODD", status: 409, meaning: "" }] },
  });
  const spec = { database: "things", summary: "Things", versions: [{ number: 1 }] };
  equal(service("things", { ...spec, resources: [fine] }).name, "things");
  throws(() => service("things", { ...spec, resources: [torn] }), /NOT_FOUND has two statuses/);
  const elsewhere = listUnder(fine, "/elsewhere", anyone);
  throws(
    () => service("things", { ...spec, resources: [fine], operations: { listThings: elsewhere } }),
    /declares listThings twice/,
  );
});
