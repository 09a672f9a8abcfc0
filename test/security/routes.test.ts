// What is not in a contract is not there: methods, addresses, and operations between services.

import assert from "node:assert/strict";
import { test } from "node:test";
import { contracts } from "../../store/services.ts";
import { openStore } from "./fixture.ts";
import { operations, setScene } from "./operations.ts";

const store = await openStore();
const scene = await setScene(store);
const { authorization } = await store.admin();

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const unusual = ["TRACE", "TRACK", "PROPFIND", "LOCK", "PURGE", "LINK"];

/** Over a socket: the client of Node sends no TRACE. */
async function statusOf(method: string, path: string): Promise<number> {
  const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${authorization}\r\n\r\n`;
  return Number((await store.raw(head)).split(" ")[1]);
}

test("Z04 a method that no contract gives an address is 405 there, and says which there are", async () => {
  const before = await scene.snapshot();
  const paths = new Map<string, Set<string>>();
  for (const operation of operations) {
    const path = scene.pathOf(operation);
    paths.set(path, (paths.get(path) ?? new Set()).add(operation.method));
  }
  for (const [path, declared] of paths) {
    for (const method of methods.filter((one) => !declared.has(one))) {
      const { status, headers } = await store.request(method, path, { authorization });
      const allowed = headers
        .get("allow")
        ?.split(", ")
        .filter((name) => methods.includes(name));
      assert.deepEqual([status, new Set(allowed)], [405, declared], `${method} ${path}`);
    }
  }
  for (const method of unusual) {
    const status = await statusOf(method, `/v1/users/${scene.owner.id}`);
    assert.ok(status === 405 || status === 400, `${method} is ${status}`);
  }
  assert.ok((await scene.snapshot()) === before, "rows were changed");
});

test("Z04 addresses that contracts do not name are 404, for an admin too", async () => {
  const paths = [
    ...["/", "/debug", "/metrics", "/internal", "/admin", "/status", "/server-status", "/actuator/env", "/graphql"],
    ...["/.env", "/.git/config", "/package.json", "/.well-known/openid-configuration", "/docs/../package.json"],
    ...["/v0/users", "/v3/users", "/v01/users", "/V1/users", "/v1", "/v1/", "/v1/users/", "/v1/Users", "/v1/user"],
    ...["/api", "/api/v1", "/api/api/v1/users", "/v1/v1/users", "/v1/users/me/x.css", "/v1/orders.json"],
  ];
  for (const path of paths) {
    const status = await statusOf("GET", path);
    assert.ok(status === 404 || (status === 400 && path.includes("..")), `${path} is ${status}`);
  }
});

test("Z04 what services ask each other cannot be asked from outside", async () => {
  const internal = contracts
    .flatMap(({ allOperations }) => Object.values(allOperations))
    .filter(({ access }) => access.every((grant) => grant === "service"));
  assert.ok(internal.length >= 4);
  for (const { method, path } of internal) {
    for (const prefix of ["", "/v1", "/v2", "/api", "/internal"]) {
      const { status } = await store.request(method, prefix + path, { authorization, body: {} });
      assert.ok(status === 404 || status === 405, `${method} ${prefix}${path} is ${status}`);
    }
  }
});

test("Z08 a method in a header, a parameter or a body is not obeyed", async () => {
  const path = `/v1/users/${scene.owner.id}`;
  for (const name of ["x-http-method-override", "x-http-method", "x-method-override", "_method"]) {
    const get = await store.request("GET", path, { authorization, headers: { [name]: "DELETE" } });
    assert.equal(get.status, 200, name);
    const post = await store.request("POST", path, { authorization, headers: { [name]: "DELETE" }, body: {} });
    assert.equal(post.status, 405, name);
  }
  assert.equal((await store.request("GET", `${path}?_method=DELETE`, { authorization })).status, 400);
  assert.equal((await store.request("GET", path, { authorization })).status, 200);
});
