// Every operation that a client can reach, with a path to an object of one person, and a request that is let in
// and yet changes nothing.

import type { AnyOperation, Named, Resource } from "ashlar/contract";
import type { TestAnswer, TestRequest } from "ashlar/testing";
import { contracts } from "../../store/services.ts";
import type { OpenStore, Person } from "./fixture.ts";

export type Reachable = Named<AnyOperation>;

export const operations: readonly Reachable[] = contracts
  .flatMap(({ allOperations }) => Object.values(allOperations))
  .filter(({ access }) => access.some((grant) => grant !== "service"));

export const resources: readonly Resource[] = contracts.flatMap(({ resources }) => resources);

export interface Scene {
  readonly owner: Person;
  /** The path of an operation, with the ids of the owner's objects; or with ids that nothing has. */
  pathOf(operation: Reachable, ids?: "the owner's" | "unknown"): string;
  ask(operation: Reachable, authorization: string | undefined, path?: string): Promise<TestAnswer>;
  /** All rows that requests could have changed, as text. */
  snapshot(): Promise<string>;
}

const suffix = "01h455vb4pex5vsknk084sn02q";

/** A person with one object of every kind. */
export async function setScene(store: OpenStore): Promise<Scene> {
  const owner = await store.person();
  const { authorization } = owner;
  const product = await store.product({ stock: 10 });
  const key = await store.apiKey(owner, ["orders:read"]);
  const order = await store.request("POST", "/v1/orders", {
    authorization,
    body: { items: [{ productId: product.id, quantity: 1 }] },
  });
  const sessions = await store.request("GET", `/v1/users/${owner.id}/sessions`, { authorization });
  await store.settled();
  const ids: Record<string, string> = {
    usr: owner.id,
    ses: sessions.json.data[0].id,
    key: /key_[^.]+/.exec(key)![0],
    prd: product.id,
    ord: order.json.id,
  };
  const pathOf: Scene["pathOf"] = ({ path, params }, which = "the owner's") => {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const prefix = (params as Record<string, { "x-id-prefix"?: string }>)[name]?.["x-id-prefix"] ?? name;
      if (ids[prefix] === undefined) throw new Error(`Tell setScene of an object whose id begins with ${prefix}_`);
      return which === "unknown" ? `${prefix}_${suffix}` : ids[prefix];
    });
    return `/v1${filled}`;
  };
  return {
    owner,
    pathOf,
    async ask(operation, as, path = pathOf(operation)) {
      // What has no version that a request could get wrong happens, and is done again for the next one.
      if (operation.method === "DELETE" && operation.resource === undefined)
        await store.request("PUT", `/v1/users/me/cart/items/${product.id}`, { authorization, body: { quantity: 1 } });
      const request = { ...harmless(operation), ...(as === undefined ? {} : { authorization: as }) };
      return store.request(operation.method, path, request);
    },
    async snapshot() {
      const tables = [
        ["identity", "select id, email, name, roles, deleted_at, version, password_hash from users order by id"],
        ["identity", "select id, user_id, deleted_at from sessions order by id"],
        ["identity", "select id, user_id, scopes, expires_at, deleted_at from api_keys order by id"],
        ["catalog", "select * from products order by id"],
        ["orders", "select * from orders order by id"],
        ["orders", "select user_id, product_id, quantity from cart_items order by user_id, product_id"],
      ] as const;
      return JSON.stringify(await Promise.all(tables.map(([service, sql]) => store.rows(service, sql))));
    },
  };
}

/** A request that cannot succeed for another reason than who sends it: a body that is none, a version that is past. */
function harmless({ method }: Reachable): TestRequest {
  if (method === "GET") return {};
  const headers: Record<string, string> = method === "POST" ? {} : { "if-match": '"999999"' };
  return method === "DELETE" ? { headers } : { headers, body: { nonsense: 1 } };
}
