// Deleted rows, for those who may see them and take a deletion back.

import { strict as assert } from "node:assert";
import { restorersOf } from "../../contract/index.ts";
import { type Bench, nobody, refused } from "./bench.ts";
import type { Row } from "./subject.ts";

const query = "includeDeleted=true";

export function checkRestoring(bench: Bench): void {
  const { check, ask, item, has, subject, callers, collection } = bench;
  const { spec } = subject.resource;
  if (restorersOf(subject.resource) === undefined) return checkNothingShows(bench);

  const deletedRow = async (): Promise<Row> => {
    const row = await bench.row();
    assert.equal((await ask("DELETE", item(row.id), { headers: { "if-match": "*" } })).status, 204);
    return row;
  };
  const restore = (id: string, body: Record<string, unknown> = {}, as = callers.able) =>
    ask("PATCH", item(id), { body: { deletedAt: null, ...body }, as, headers: { "if-match": "*" } });

  if (has("get")) {
    check(
      "a deleted row is shown with includeDeleted, under a tag of its own and never to a shared cache",
      async () => {
        const row = await deletedRow();
        refused(await ask("GET", item(row.id)), 404, "NOT_FOUND");
        refused(await ask("GET", `${item(row.id)}?includeDeleted=false`), 404, "NOT_FOUND");
        const { status, json, headers } = await ask("GET", `${item(row.id)}?${query}`);
        assert.equal(status, 200);
        const { deletedAt, updatedAt, version, ...rest } = json;
        assert.deepEqual(Object.keys(json), [...Object.keys(bench.shown), "deletedAt"]);
        assert.equal(deletedAt, updatedAt);
        assert.equal(version, Number(row.version) + 1);
        assert.deepEqual({ ...rest, updatedAt: row.updatedAt, version: row.version }, row);
        assert.match(headers.get("cache-control")!, /private/);

        const living = await bench.row();
        const [plain, shown] = [await ask("GET", item(living.id)), await ask("GET", `${item(living.id)}?${query}`)];
        assert.deepEqual(shown.json, { ...plain.json, deletedAt: null });
        assert.notEqual(shown.headers.get("etag"), plain.headers.get("etag"));
        assert.deepEqual((await ask("GET", `${item(row.id)}?${query}&fields=deletedAt,id`)).json, {
          deletedAt,
          id: row.id,
        });
        assert.deepEqual(refused(await ask("GET", `${item(living.id)}?fields=deletedAt`), 400), ["fields"]);
      },
    );
  }

  if (has("list")) {
    check("a list shows and counts deleted rows with includeDeleted only, by page and by cursor", async () => {
      const { id } = await deletedRow();
      const [living, all] = [await bench.all(""), await bench.all(query)];
      assert.ok(living.every((row) => row.id !== id && !("deletedAt" in row)));
      const [deleted, rest] = [
        all.filter(({ deletedAt }) => deletedAt !== null),
        all.filter((row) => row.deletedAt === null),
      ];
      assert.ok(deleted.some((row) => row.id === id));
      assert.deepEqual(new Set(rest.map((row) => row.id)), new Set(living.map((row) => row.id)));

      const walked: string[] = [];
      let page = await ask("GET", `${collection}?${query}&limit=2&sort=id`);
      const first: string = page.json.pagination.nextCursor;
      for (;;) {
        walked.push(...page.json.data.map((row: Row) => row.id));
        const cursor: string | null = page.json.pagination.nextCursor;
        if (cursor === null) break;
        page = await ask("GET", `${collection}?${query}&limit=2&sort=id&cursor=${cursor}`);
      }
      assert.deepEqual(walked, all.map((row) => row.id).toSorted());
      // A cursor of the one list is none of the other.
      refused(await ask("GET", `${collection}?limit=2&sort=id&cursor=${first}`), 400, "INVALID_CURSOR");
    });
  }

  for (const [what, path] of [
    ["a list", async () => collection],
    ["a row", async () => item((await deletedRow()).id)],
  ] as const) {
    if (!has(what === "a list" ? "list" : "get")) continue;
    check(`includeDeleted on ${what} is 401 and 403 for who may not, and a mistake 400`, async () => {
      const address = await path();
      refused(await ask("GET", `${address}?${query}`, { as: nobody }), 401, "UNAUTHENTICATED");
      if (callers.stranger !== undefined) {
        const answer = await ask("GET", `${address}?${query}`, { as: callers.stranger });
        // Who may not even ask for living rows hears the same as always.
        assert.ok(answer.status === 403 || answer.status === 404, answer.text);
      }
      if (what === "a list")
        assert.deepEqual(refused(await ask("GET", `${address}?includeDeleted=yes`), 400), ["includeDeleted"]);
      assert.deepEqual(refused(await ask("GET", `${address}?${query}&nonsense=1`), 400), ["nonsense"]);
    });
  }

  if (!has("update") || !has("remove")) return;

  check("PATCH with deletedAt null restores a row: a new version that everybody sees", async () => {
    const row = await deletedRow();
    const restored = await restore(row.id);
    assert.equal(restored.status, 200, restored.text);
    assert.deepEqual(restored.json, { ...row, version: Number(row.version) + 2, updatedAt: restored.json.updatedAt });
    assert.deepEqual(await bench.read(row.id), restored.json);
    // Once more changes nothing.
    assert.deepEqual((await restore(row.id)).json, restored.json);
  });

  check("a restoring PATCH may change other things too, and is checked like every other", async () => {
    const row = await deletedRow();
    assert.deepEqual(refused(await restore(row.id, { nonsense: 1 }), 400), ["nonsense"]);
    const stale = { body: { deletedAt: null }, headers: { "if-match": `"${String(row.version)}"` } };
    refused(await ask("PATCH", item(row.id), stale), 412);
    if (spec.precondition === "required")
      refused(await ask("PATCH", item(row.id), { body: { deletedAt: null } }), 428, "PRECONDITION_REQUIRED");
    const change = bench.variation(row);
    const current = `"${Number(row.version) + 1}"`;
    const restored = await ask("PATCH", item(row.id), {
      body: { deletedAt: null, ...change },
      headers: { "if-match": current },
    });
    assert.equal(restored.status, 200, restored.text);
    for (const [name, value] of Object.entries(change)) assert.deepEqual(restored.json[name], value, name);
  });

  check("of two who restore one version one gets 200 and the other 412", async () => {
    const row = await deletedRow();
    const request = { body: { deletedAt: null }, headers: { "if-match": `"${Number(row.version) + 1}"` } };
    const answers = await Promise.all([1, 2].map(() => ask("PATCH", item(row.id), request)));
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 412],
    );
  });

  check("deletedAt is no property for who may not restore, and null is all that may be sent", async () => {
    const [living, deleted] = [await bench.row(), await deletedRow()];
    refused(
      await ask("PATCH", item(deleted.id), { body: bench.variation(deleted), headers: { "if-match": "*" } }),
      404,
    );
    for (const value of ["2026-01-01T00:00:00Z", false, ""]) {
      const answer = await ask("PATCH", item(living.id), { body: { deletedAt: value }, headers: { "if-match": "*" } });
      assert.equal(answer.status, 400, answer.text);
      assert.deepEqual(answer.json.error.details, [{ field: "deletedAt", message: "must be null" }]);
    }
    if (has("replace"))
      assert.deepEqual(
        refused(
          await ask("PUT", item(living.id), {
            body: { ...bench.whole(living), deletedAt: null },
            headers: { "if-match": "*" },
          }),
          400,
        ),
        ["deletedAt"],
      );
    if (callers.stranger === undefined) return;
    const refusals = [living, deleted].map(async ({ id }) => (await restore(id, {}, callers.stranger)).status);
    for (const status of await Promise.all(refusals)) assert.ok(status === 403 || status === 404);
    assert.deepEqual(await bench.read(living.id), living);
    refused(await ask("GET", item(deleted.id)), 404);
  });

  if (has("create") && (spec.unique ?? []).length > 0) {
    check("a row whose unique value was taken meanwhile cannot be restored: 409, and it stays deleted", async () => {
      const body = bench.nextBody();
      const first = await ask("POST", collection, { body });
      await ask("DELETE", item(first.json.id), { headers: { "if-match": "*" } });
      assert.equal((await ask("POST", collection, { body })).status, 201);
      assert.ok(refused(await restore(first.json.id), 409, "DUPLICATE").length > 0);
      refused(await ask("GET", item(first.json.id)), 404);
    });
  }
}

/** Where nobody may restore, deleted rows have no parameter and no property. */
function checkNothingShows({ check, ask, collection, has, subject }: Bench): void {
  if (!has("list") || !subject.resource.spec.softDelete) return;
  check("what nobody may restore is shown to nobody", async () => {
    assert.deepEqual(refused(await ask("GET", `${collection}?${query}`), 400), ["includeDeleted"]);
  });
}
