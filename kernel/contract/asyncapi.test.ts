import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import AjvModule from "ajv/dist/2020.js";
import addFormatsModule from "ajv-formats";
import { asyncApi } from "./asyncapi.ts";
import { identity, orders } from "./openapi/fixture.ts";

const document = asyncApi([identity, orders], {
  title: "Sample",
  version: "1.0.0",
  license: { name: "MIT", identifier: "MIT" },
}) as any;

test("the same contracts give the same bytes", () => {
  equal(
    JSON.stringify(asyncApi([identity, orders], document.info)),
    JSON.stringify(asyncApi([identity, orders], document.info)),
  );
});

test("there is one channel for each type of event, announced or wanted", () => {
  deepEqual(Object.keys(document.channels), [
    "order.confirmed",
    "order.created",
    "order.updated",
    "stock.committed",
    "user.created",
    "user.deleted",
    "user.updated",
  ]);
});

test("a service sends what it declares and receives what it subscribes to", () => {
  const of = (action: string) =>
    Object.entries<any>(document.operations)
      .filter(([, one]) => one.action === action)
      .map(([name]) => name);
  deepEqual(of("receive"), ["ordersReceivesUserDeleted", "ordersReceivesStockCommitted"]);
  deepEqual(of("send"), [
    "identitySendsUserCreated",
    "identitySendsUserUpdated",
    "identitySendsUserDeleted",
    "ordersSendsOrderCreated",
    "ordersSendsOrderUpdated",
    "ordersSendsOrderConfirmed",
  ]);
});

test("every reference leads somewhere", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
  ok(references.length > 0);
  for (const path of references)
    ok(
      path.split("/").reduce((at: any, name) => at[name], document),
      path,
    );
});

test("a message is the envelope with the data its event declares", () => {
  const { payload } = document.components.messages.orderConfirmed;
  deepEqual(Object.keys(payload.properties), [
    "id",
    "type",
    "aggregateId",
    "timestamp",
    "version",
    "traceparent",
    "data",
  ]);
  deepEqual(payload.required, ["id", "type", "aggregateId", "timestamp", "data"]);
  equal(payload.properties.type.const, "order.confirmed");
  ok(payload.properties.aggregateId.pattern.startsWith("^ord_"));
  deepEqual(Object.keys(payload.properties.data.properties), ["total"]);
});

test("data of a service outside the document may be anything", () => {
  const { payload } = document.components.messages.stockCommitted;
  equal("additionalProperties" in payload.properties.data, false);
});

test("every example is a message that its schema accepts", () => {
  const ajv = new AjvModule.default({ strict: false });
  addFormatsModule.default(ajv);
  for (const { name, payload, examples } of Object.values<any>(document.components.messages)) {
    const validate = ajv.compile(payload);
    ok(validate(examples[0].payload), JSON.stringify([name, validate.errors]));
  }
});

test("no keyword of ours leaks, nor what AsyncAPI does not know", () => {
  const text = JSON.stringify(document);
  for (const word of ["x-id-prefix", "x-optional", "identifier", "passwordHash"]) ok(!text.includes(word), word);
});
