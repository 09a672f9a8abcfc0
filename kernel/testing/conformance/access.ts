// Who may: 401, 403 and 404, as the contract's access rules have it.

import { strict as assert } from "node:assert";
import type { Access, Action, Resource } from "../../contract/index.ts";
import { type Bench, nobody, refused } from "./bench.ts";

export const methodOf: Readonly<Record<Action, string>> = {
  list: "GET",
  create: "POST",
  bulk: "POST",
  get: "GET",
  replace: "PUT",
  update: "PATCH",
  remove: "DELETE",
};

export function checkAccess(bench: Bench): void {
  const { check, ask, callers, subject } = bench;
  const actions = Object.entries(subject.resource.spec.access) as [Action, Access][];

  for (const [action, access] of actions.filter(([, access]) => !access.includes("anyone"))) {
    check(`${action} without credentials, or with bad ones, is 401 and says how to authenticate`, async () => {
      const request = await requestOf(bench, action);
      const without = await ask(...request, { as: nobody });
      refused(without, 401, "UNAUTHENTICATED");
      assert.match(without.headers.get("www-authenticate")!, /^Bearer realm="[^"]+"$/);
      for (const as of ["Bearer nonsense", `${callers.able}x`]) {
        const bad = await ask(...request, { as });
        refused(bad, 401, "UNAUTHENTICATED");
        assert.match(bad.headers.get("www-authenticate")!, /^Bearer realm="[^"]+", error="invalid_token"/);
      }
    });

    const refusal = refusalOf(bench, access, action);
    if (callers.stranger === undefined || refusal === undefined) continue;
    check(`${action} by somebody who may not is ${refusal}`, async () => {
      const [method, path] = await requestOf(bench, action);
      const answer = await ask(method, path, { as: callers.stranger!, headers: { "if-match": "*" } });
      refused(answer, refusal, refusal === 403 ? "FORBIDDEN" : "NOT_FOUND");
      if (refusal === 403) assert.match(answer.headers.get("www-authenticate")!, /error="insufficient_scope"/);
      // The same as for what does not exist.
      if (refusal === 404 && action !== "list" && action !== "create" && action !== "bulk")
        assert.equal(
          answer.text,
          (await ask(method, path.replace(/[^/]*$/, bench.unknownId), { as: callers.stranger! })).text,
        );
    });
  }

  if (
    bench.has("list") &&
    subject.resource.spec.access.list!.includes("owner") &&
    !isAddressed(subject.resource) &&
    callers.stranger !== undefined
  ) {
    check("a list holds the caller's rows only, and counts no others", async () => {
      await bench.row();
      const { json } = await ask("GET", bench.collection, { as: callers.stranger! });
      assert.deepEqual([json.data, json.pagination.total], [[], 0]);
    });
  }

  check("a token is taken from the Authorization header and nowhere else", async () => {
    const protectedAction = actions.find(([, access]) => !access.includes("anyone"))?.[0];
    if (protectedAction === undefined) return;
    const [method, path] = await requestOf(bench, protectedAction);
    const token = callers.able.replace("Bearer ", "");
    assert.ok([400, 401].includes((await ask(method, `${path}?access_token=${token}`, { as: nobody })).status));
    refused(
      await ask(method, path, {
        as: nobody,
        headers: { cookie: `token=${token}`, "x-user-id": "usr_1", "x-user-roles": "admin" },
      }),
      401,
    );
    assert.notEqual((await ask(method, path, { as: callers.able.replace("Bearer", "bearer") })).status, 401);
  });
}

/** What a signed-in caller without role or row gets; undefined when the answer is a success. */
function refusalOf({ subject: { resource } }: Bench, access: Access, action: Action): 403 | 404 | undefined {
  if (access.includes("anyone") || access.includes("signedIn")) return undefined;
  if (access.some((grant) => typeof grant === "object" && "self" in grant)) return 404;
  if (!access.includes("owner")) return 403;
  const ofMany = action === "list" || action === "create" || action === "bulk";
  return ofMany && !isAddressed(resource) ? undefined : 404;
}

/** Whether the rows of each owner have an address of their own: `/users/{userId}/reminders`. */
function isAddressed({ spec }: Resource): boolean {
  return spec.path.includes(`{${String(spec.owner)}}`);
}

export async function requestOf(
  { collection, item, row }: Bench,
  action: Action,
): Promise<[method: string, path: string]> {
  if (action === "list" || action === "create") return [methodOf[action], collection];
  return [methodOf[action], action === "bulk" ? `${collection}/bulk` : item((await row()).id)];
}
