// Idempotency-Key on the POST that creates.

import { strict as assert } from "node:assert";
import type { TestAnswer } from "../client.ts";
import { type Bench, refused } from "./bench.ts";

const atOnce = 50;

export function checkIdempotency(bench: Bench): void {
  const { check, ask, collection, has, callers, system, subject } = bench;
  if (!has("create")) return;
  let keys = 0;
  const newKey = () => `conformance-${++keys}`;
  const post = (key: string, body: unknown, as = callers.able) =>
    ask("POST", collection, { body, as, headers: { "idempotency-key": key } });
  const rowsOf = async () =>
    Number(
      (await system.rows(subject.contract.name, `select count(*)::int as count from "${subject.resource.table}"`))[0]!
        .count,
    );

  check("a repeated Idempotency-Key answers the first answer again and does nothing", async () => {
    const key = newKey();
    const body = bench.nextBody();
    const first = await post(key, body);
    assert.equal(first.status, 201, first.text);
    assert.equal(first.headers.get("idempotent-replayed"), null);
    const before = await rowsOf();
    const backwards = Object.fromEntries(Object.entries(body).toReversed());
    for (const again of [
      await post(key, body),
      await post(`"${key}"`, body),
      await post(key, JSON.stringify(backwards, undefined, 2)),
    ]) {
      assert.deepEqual([again.status, again.text, again.headers.get("idempotent-replayed")], [201, first.text, "true"]);
      for (const name of ["location", "etag", "api-version", "content-type", "cache-control"])
        assert.equal(again.headers.get(name), first.headers.get(name), name);
    }
    assert.equal(await rowsOf(), before);
  });

  check("the same key with another payload is 422, and does nothing", async () => {
    const key = newKey();
    assert.equal((await post(key, bench.nextBody())).status, 201);
    const before = await rowsOf();
    assert.deepEqual(refused(await post(key, bench.nextBody()), 422, "IDEMPOTENCY_KEY_REUSED"), ["Idempotency-Key"]);
    assert.equal(await rowsOf(), before);
  });

  check(
    `of ${atOnce} POSTs with one key at once, all that answer 201 answer the same bytes, and there is one row`,
    async () => {
      const key = newKey();
      const body = bench.nextBody();
      const before = await rowsOf();
      const answers = await Promise.all(Array.from({ length: atOnce }, () => post(key, body)));
      const created = answers.filter(({ status }) => status === 201);
      assert.ok(created.length > 0);
      assert.equal(new Set(created.map(({ text }) => text)).size, 1);
      for (const answer of answers.filter(({ status }) => status !== 201)) {
        refused(answer, 409, "IDEMPOTENCY_IN_PROGRESS");
        assert.match(answer.headers.get("retry-after")!, /^\d+$/);
      }
      assert.equal((await post(key, body)).text, created[0]!.text);
      assert.equal(await rowsOf(), before + 1);
    },
  );

  check("a refusal is not kept: the corrected request may use its key", async () => {
    const key = newKey();
    const body = bench.nextBody();
    refused(await post(key, { ...body, nonsense: 1 }), 400);
    const row = await bench.row();
    const duplicate = await sameUnique(bench, body, row.id);
    if (duplicate !== undefined) refused(await post(key, duplicate), 409, "DUPLICATE");
    const created = await post(key, body);
    assert.deepEqual([created.status, created.headers.get("idempotent-replayed")], [201, null], created.text);
  });

  check("a key is its caller's own, and its path's", async () => {
    const key = newKey();
    const first = await post(key, bench.nextBody());
    const answers: TestAnswer[] = callers.other === undefined ? [] : [await post(key, bench.nextBody(), callers.other)];
    for (const { status, json, headers } of answers) {
      assert.deepEqual([status, headers.get("idempotent-replayed")], [201, null]);
      assert.notEqual(json.id, first.json.id);
    }
  });

  check("a key is 1 to 255 visible ASCII characters, given once", async () => {
    for (const key of ["", '""', "two words", "x".repeat(256), "\u00e9"])
      assert.deepEqual(refused(await post(key, bench.nextBody()), 400), ["Idempotency-Key"], key);
    for (const key of ["x".repeat(255), "!~{}", `"${"y".repeat(255)}"`])
      assert.equal((await post(key, bench.nextBody())).status, 201, key);
  });
}

/** The body with the unique values of a row that exists; undefined when nothing is unique. */
async function sameUnique({ read, shape, subject }: Bench, body: Record<string, unknown>, id: string) {
  const unique = (subject.resource.spec.unique ?? [])[0]?.map(String);
  if (unique === undefined) return undefined;
  const row = await read(id);
  const names = Object.keys(body).filter((name) => unique.includes(shape.newestName(name)));
  return { ...body, ...Object.fromEntries(names.map((name) => [name, row[name]])) };
}
