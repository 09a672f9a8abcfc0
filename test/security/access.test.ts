// Who may do what: every operation of every contract, tried as everybody. What is expected is worked out here,
// from the words of the contracts and nothing of the pipeline.

import assert from "node:assert/strict";
import { test } from "node:test";
import { scopes } from "../../store/api.ts";
import { openStore } from "./fixture.ts";
import { operations, type Reachable, resources, setScene } from "./operations.ts";

const store = await openStore();
const scene = await setScene(store);
const [admin, stranger] = [await store.admin(), await store.person()];

type Who = "nobody" | "another member" | "the owner" | "an admin" | "a machine with the scope" | "a machine without";
type Verdict = "allowed" | 401 | 403 | 404;

const scopeOf = ({ service, method }: Reachable) => `${service}:${method === "GET" ? "read" : "write"}`;
const keys = new Map<string, Promise<string>>();
const keyWith = (some: readonly string[]) => {
  const name = some.join();
  keys.set(name, keys.get(name) ?? store.apiKey(scene.owner, some));
  return keys.get(name)!;
};

const callers: Record<Who, (operation: Reachable) => Promise<string | undefined>> = {
  nobody: async () => undefined,
  "another member": async () => stranger.authorization,
  "the owner": async () => scene.owner.authorization,
  "an admin": async () => admin.authorization,
  // Of the owner of everything, so that only the scopes stand in the way.
  "a machine with the scope": (operation) => keyWith([scopeOf(operation)]),
  "a machine without": (operation) => keyWith(scopes.filter((scope) => scope !== scopeOf(operation))),
};

function verdict(operation: Reachable, who: Who): Verdict {
  const { access, personal } = operation;
  if (access.includes("anyone")) return "allowed";
  if (who === "nobody") return 401;
  if (who === "a machine without") return 403;
  const isMachine = who === "a machine with the scope";
  if (isMachine && personal) return 403;
  const isOwner = who === "the owner" || isMachine;
  const isAdmin = who === "an admin";
  const grants = access.map((grant) => (typeof grant === "object" ? Object.keys(grant)[0] : grant));
  if (isAdmin && access.some((grant) => typeof grant === "object" && "role" in grant && grant.role === "admin"))
    return "allowed";
  if (isOwner && (grants.includes("self") || grants.includes("owner"))) return "allowed";
  if (grants.includes("signedIn")) return isOwner || isAdmin || !isBelowOwnedRow(operation) ? "allowed" : 404;
  // A list of one's own is open to everybody, and holds nothing of others.
  if (grants.includes("owner") && !operation.path.includes("{")) return "allowed";
  return grants.includes("self") || grants.includes("owner") ? 404 : 403;
}

/** Whether the address is that of something below a row that belongs to somebody. */
function isBelowOwnedRow({ params }: Reachable): boolean {
  const prefixes = Object.values(params).map((schema) => (schema as { "x-id-prefix"?: string })["x-id-prefix"]);
  return resources.some(({ spec }) => spec.owner !== undefined && prefixes.includes(spec.id));
}

for (const operation of operations) {
  const { name, service, method, path } = operation;
  test(`Z01 Z02 Z03 ${service}.${name} (${method} ${path}) is for those whom its contract names, and for nobody else`, async () => {
    const everybody = await Promise.all(
      Object.entries(callers).map(async ([who, make]) => [who as Who, await make(operation)] as const),
    );
    const before = await scene.snapshot();
    for (const [who, authorization] of everybody) {
      const { status, text, json, headers } = await scene.ask(operation, authorization);
      const expected = verdict(operation, who);
      const what = `${who} got ${status} for ${method} ${path}: ${text.slice(0, 200)}`;
      if (expected === "allowed") {
        assert.ok(status < 500 && ![401, 403, 404].includes(status), what);
        if (method === "GET") assert.equal(status, 200, what);
        continue;
      }
      assert.equal(status, expected, what);
      const codes = { 401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND" };
      assert.equal(json.error.code, codes[expected], what);
      const challenge = headers.get("www-authenticate");
      if (expected === 401) assert.equal(challenge, 'Bearer realm="ashlar"');
      if (expected === 403) assert.match(challenge!, /error="insufficient_scope"/);
      // Somebody else's is answered as what is not there.
      if (expected === 404)
        assert.equal(text, (await scene.ask(operation, authorization, scene.pathOf(operation, "unknown"))).text);
    }
    if (operation.resource !== undefined || method === "GET")
      assert.ok((await scene.snapshot()) === before, "rows were changed");
  });
}

test("Z01 no parameter of a list shows somebody else's rows", async () => {
  const { authorization } = stranger;
  const list = (query: string) => store.request("GET", `/v1/orders?${query}`, { authorization });
  for (const query of [`userId=${scene.owner.id}`, `ownerId=${scene.owner.id}`, `user=${scene.owner.id}`, "all=true"])
    assert.equal((await list(query)).status, 400, query);
  for (const query of ["status=pending,confirmed", "totalMin=0", "sort=total", "fields=id,userId"])
    assert.deepEqual((await list(query)).json, {
      data: [],
      pagination: { total: 0, page: 1, limit: 20, hasMore: false, nextCursor: null },
    });
  const mine = await store.request("GET", "/v1/orders", { authorization: scene.owner.authorization });
  assert.equal(mine.json.pagination.total, 1);
});

test("Z01 an order that names products of a stranger's order, or a cart that is not the caller's, takes nothing of theirs", async () => {
  const { authorization } = stranger;
  const before = await scene.snapshot();
  const foreign = await store.request("POST", `/v1/users/${scene.owner.id}/orders`, { authorization, body: {} });
  assert.equal(foreign.status, 404);
  const empty = await store.request("POST", "/v1/orders", { authorization, body: {} });
  assert.deepEqual([empty.status, empty.json.error.code], [422, "EMPTY_CART"]);
  assert.ok((await scene.snapshot()) === before, "rows were changed");
});
