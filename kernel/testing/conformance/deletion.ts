// DELETE, and the 404 that says nothing.

import { strict as assert } from "node:assert";
import type { Action } from "../../contract/index.ts";
import { methodOf } from "./access.ts";
import { type Bench, refused } from "./bench.ts";

export function checkDeletion(bench: Bench): void {
  const { check, ask, item, has, whole, subject, system } = bench;
  const { resource, contract } = subject;
  const headers = { "if-match": "*" };
  const onRow = (["get", "replace", "update", "remove"] as Action[]).filter(has);

  if (has("remove")) {
    check("DELETE is 204 and empty; from then on the row is 404 everywhere, for DELETE too", async () => {
      const row = await bench.row();
      const gone = await ask("DELETE", item(row.id), { headers });
      assert.deepEqual([gone.status, gone.text, gone.headers.get("content-length")], [204, "", null]);
      for (const action of onRow) {
        const body = action === "replace" || action === "update" ? { body: whole(row) } : {};
        const conditions = action === "get" ? {} : { headers };
        refused(await ask(methodOf[action], item(row.id), { ...body, ...conditions }), 404, "NOT_FOUND");
      }
    });

    check(
      resource.spec.softDelete
        ? "a deleted row stays in the table, and nowhere else"
        : "a deleted row is gone from the table",
      async () => {
        const row = await bench.row();
        const list = async () => (await ask("GET", `${bench.collection}?limit=100&sort=-createdAt`)).json;
        const before = has("list") ? await list() : undefined;
        assert.equal((await ask("DELETE", item(row.id), { headers })).status, 204);
        if (before !== undefined) {
          const after = await list();
          assert.equal(after.pagination.total, before.pagination.total - 1);
          assert.ok(!after.data.some(({ id }: { id: string }) => id === row.id));
        }
        const deletedAt = resource.spec.softDelete ? "deleted_at" : "null";
        const rows = await system.rows(
          contract.name,
          `select ${deletedAt} as deleted_at from "${resource.table}" order by created_at desc`,
        );
        assert.equal(
          rows.some(({ deleted_at: at }) => at !== null),
          Boolean(resource.spec.softDelete),
        );
      },
    );

    if (has("create") && (resource.spec.unique ?? []).length > 0) {
      check("what was unique to a deleted row may be used again", async () => {
        const body = bench.nextBody();
        const first = await ask("POST", bench.collection, { body });
        refused(await ask("POST", bench.collection, { body }), 409, "DUPLICATE");
        await ask("DELETE", item(first.json.id), { headers });
        const second = await ask("POST", bench.collection, { body });
        assert.equal(second.status, 201, second.text);
        assert.notEqual(second.json.id, first.json.id);
      });
    }
  }

  if (onRow.length > 0) {
    check("an id that is malformed, of another kind, unknown or deleted gets one and the same 404", async () => {
      const { id: prefix } = resource.spec;
      const deleted = await bench.row();
      if (has("remove")) await ask("DELETE", item(deleted.id), { headers });
      const suffix = bench.unknownId.slice(prefix.length + 1);
      const ids = [
        "x",
        "1",
        prefix,
        `${prefix}_`,
        `${prefix}_x`,
        `evt_${suffix}`,
        suffix,
        `${prefix.toUpperCase()}_${suffix}`,
        `${prefix}_${suffix.toUpperCase()}`,
        `${prefix}_8${suffix.slice(1)}`,
        `${bench.unknownId}x`,
        "null",
        "'%20or%201=1--",
        "018c8b2c-0000-7000-8000-000000000000",
        bench.unknownId,
        ...(has("remove") ? [deleted.id] : []),
      ];
      for (const action of onRow) {
        const body = action === "replace" || action === "update" ? { body: whole(deleted) } : {};
        const conditions = action === "get" ? {} : { headers };
        const answers = await Promise.all(ids.map((id) => ask(methodOf[action], item(id), { ...body, ...conditions })));
        for (const [index, answer] of answers.entries())
          assert.equal(answer.status, 404, `${ids[index]}: ${answer.text}`);
        assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
      }
    });
  }
}
