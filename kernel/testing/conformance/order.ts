// The order of checks: a request that is wrong in every way hears of the first thing only.

import { strict as assert } from "node:assert";
import type { Action } from "../../contract/index.ts";
import { methodOf } from "./access.ts";
import { type Bench, nobody, refused } from "./bench.ts";

const tooLarge = `{"a":"${"x".repeat(1024 * 1024)}"}`;

export function checkOrder(bench: Bench): void {
  const { check, ask, item, collection, unknownId, has, subject } = bench;
  const { access } = subject.resource.spec;
  const text = { "content-type": "text/plain" };
  const isOpen = (action: Action) => access[action]!.includes("anyone");

  for (const action of (["replace", "update"] as const).filter(has)) {
    check(`${methodOf[action]}: 401, then 404, 412, 415, 413, 400, and 409 last`, async () => {
      const row = await bench.row();
      const bodyOf = action === "replace" ? bench.whole : bench.variation;
      const send = (id: string, headers: Record<string, string>, body: unknown, as = bench.callers.able) =>
        ask(methodOf[action], item(id), { headers, body, as });
      const stale = { "if-match": '"999"' };
      const fresh = { "if-match": `"${String(row.version)}"` };
      if (!isOpen(action)) refused(await send(unknownId, { ...stale, ...text }, tooLarge, nobody), 401);
      refused(await send(unknownId, { ...stale, ...text }, tooLarge), 404);
      refused(await send(row.id, { ...stale, ...text }, tooLarge), 412);
      refused(await send(row.id, { ...fresh, ...text }, tooLarge), 415);
      refused(await send(row.id, fresh, tooLarge), 413);
      refused(await send(row.id, fresh, '{"nonsense":'), 400, "MALFORMED_JSON");
      assert.deepEqual(
        refused(await send(row.id, {}, { ...bodyOf(row), version: 999, nonsense: 1 }), 400, "VALIDATION_ERROR"),
        ["nonsense"],
      );
      refused(await send(row.id, {}, { ...bodyOf(row), version: 999 }), 409, "VERSION_CONFLICT");
      assert.deepEqual(await bench.read(row.id), row);
    });
  }

  if (has("create")) {
    check("POST: 401, then 415, 413, 400", async () => {
      const send = (headers: Record<string, string>, body: unknown, as = bench.callers.able) =>
        ask("POST", `${collection}?nonsense=1`, { headers, body, as });
      if (!isOpen("create")) refused(await send(text, tooLarge, nobody), 401);
      refused(await send(text, tooLarge), 415);
      refused(await send({}, tooLarge), 413);
      refused(await send({}, "{"), 400, "MALFORMED_JSON");
    });
  }

  if (has("remove")) {
    check("DELETE: 401, then 404, then 412", async () => {
      const { id } = await bench.row();
      const stale = { "if-match": '"999"' };
      if (!isOpen("remove")) refused(await ask("DELETE", item(unknownId), { headers: stale, as: nobody }), 401);
      refused(await ask("DELETE", item(unknownId), { headers: stale }), 404);
      refused(await ask("DELETE", item(id), { headers: stale }), 412);
      await bench.read(id);
    });
  }

  check("405 comes before 401, and 404 for the address before both", async () => {
    refused(await ask("PROPFIND", collection, { as: nobody }), 405);
    refused(await ask("PROPFIND", "/v1/there-is-nothing-here", { as: nobody }), 404);
  });
}
