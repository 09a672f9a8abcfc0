// Several at once: all of them, or none.

import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import { type Bench, refused } from "./bench.ts";
import type { Row } from "./subject.ts";

const itemsMax = 100;

export function checkBulk(bench: Bench): void {
  const { check, ask, collection, has, item, subject } = bench;
  if (!has("bulk")) return;
  const { resource, contract } = subject;
  const path = `${collection}/bulk`;
  const bodies = (count: number) => Array.from({ length: count }, () => bench.nextBody());
  const post = (items: unknown[], headers: Record<string, string> = {}) =>
    ask("POST", path, { body: { items }, headers });
  const rowsOf = async () =>
    Number((await bench.system.rows(contract.name, `select count(*) from "${resource.table}"`))[0]!.count);

  check(`POST of ${itemsMax} creates them all, in the order they were sent, each with its event`, async () => {
    const before = await rowsOf();
    const sent = bodies(itemsMax);
    const { status, json, text, headers } = await post(sent);
    assert.equal(status, 201, text);
    assert.deepEqual([headers.get("location"), headers.get("etag")], [null, null]);
    assert.deepEqual(Object.keys(json), ["data"]);
    assert.equal(json.data.length, itemsMax);
    for (const [index, row] of json.data.entries()) {
      assert.deepEqual(Object.keys(row), Object.keys(bench.shown));
      for (const name of Object.keys(sent[index]!).filter(
        (one) => one in bench.shown && !subject.derived?.includes(one),
      ))
        assert.deepEqual(row[name], sent[index]![name], name);
    }
    assert.equal(new Set(json.data.map(({ id }: Row) => id)).size, itemsMax);
    assert.equal(await rowsOf(), before + itemsMax);
    if (has("get")) assert.deepEqual((await ask("GET", item(json.data[7].id))).json, json.data[7]);
    const type = resource.events.created?.type;
    if (type !== undefined) {
      const ids = new Set<string>(json.data.map(({ id }: Row) => id));
      const events = await bench.system.rows(
        contract.name,
        "select aggregate_id as id from ashlar.outbox where type = $1",
        [type],
      );
      assert.equal(events.filter(({ id }) => ids.has(String(id))).length, itemsMax);
    }
  });

  check("one wrong item refuses all, and every wrong field is named with its place", async () => {
    const before = await rowsOf();
    const [first, second, third] = bodies(3) as [Row, Row, Row];
    const [missing] = Object.keys(second);
    const { [missing!]: _left, ...incomplete } = second;
    const answer = await post([first, { ...incomplete, nonsense: 1 }, { ...third, id: bench.unknownId }]);
    const fields = refused(answer, 400, "VALIDATION_ERROR");
    for (const field of [`items[1].${missing}`, "items[1].nonsense", "items[2].id"])
      assert.ok(fields.includes(field), `${field} in ${fields.join()}`);
    assert.equal(await rowsOf(), before);
  });

  check(`1 to ${itemsMax} items, in an object with nothing else`, async () => {
    assert.equal((await post(bodies(1))).status, 201);
    assert.deepEqual(refused(await post([]), 400), ["items"]);
    assert.deepEqual(refused(await post(bodies(itemsMax + 1)), 400), ["items"]);
    assert.deepEqual(refused(await ask("POST", path, { body: bodies(1) }), 400), ["body"]);
    assert.deepEqual(refused(await ask("POST", path, { body: { items: bodies(1), more: 1 } }), 400), ["more"]);
  });

  const unique = (resource.spec.unique ?? [])[0]?.map(String);
  if (unique !== undefined) {
    check("a taken value refuses all with 409 and names the item, whether a row has it or another item", async () => {
      const taken = bench.nextBody();
      const made = await post([taken]);
      const before = await rowsOf();
      const names = Object.keys(taken).filter((name) => unique.includes(bench.shape.newestName(name)));
      const same = (body: Record<string, unknown>) => ({
        ...body,
        ...Object.fromEntries(names.map((name) => [name, taken[name]])),
      });
      const [first, second, third] = bodies(3) as [Row, Row, Row];
      assert.equal(made.status, 201);
      assert.deepEqual(
        refused(await post([first, second, same(third)]), 409, "DUPLICATE"),
        unique.map((name) => `items[2].${name}`),
      );
      assert.deepEqual(
        refused(await post([first, second, first, third]), 409, "DUPLICATE"),
        unique.map((name) => `items[2].${name}`),
      );
      assert.equal(await rowsOf(), before);
      assert.equal((await post([first, second, third])).status, 201);
    });
  }

  check("a repeated Idempotency-Key creates nothing twice", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const items = bodies(3);
    const first = await post(items, headers);
    const before = await rowsOf();
    const again = await post(items, headers);
    assert.deepEqual([again.status, again.text, again.headers.get("idempotent-replayed")], [201, first.text, "true"]);
    refused(await post(items.slice(1), headers), 422, "IDEMPOTENCY_KEY_REUSED");
    assert.equal(await rowsOf(), before);
  });
}
