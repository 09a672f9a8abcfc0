// What was read before must not be what is read after a write, whoever kept it.

import { strict as assert } from "node:assert";
import type { Bench } from "./bench.ts";
import type { Row } from "./subject.ts";

const readers = 8;
const readsOfEach = 6;
const rounds = 5;

export function checkFreshReads(bench: Bench): void {
  const { check, ask, item, has } = bench;
  const headers = { "if-match": "*" };
  const mayChange = has("update") || has("replace");
  const newest = `${bench.collection}?limit=100&sort=-createdAt`;
  const seen = async (id: string) => {
    const listed = has("list") ? (await ask("GET", newest)).json.data.find((row: Row) => row.id === id) : undefined;
    const alone = has("get") ? await ask("GET", item(id)) : undefined;
    const narrow = has("get") ? await ask("GET", `${item(id)}?fields=id,version`) : undefined;
    return {
      list: has("list") ? (listed?.version ?? 404) : undefined,
      item: alone && (alone.json.version ?? alone.status),
      narrow: narrow && (narrow.json.version ?? narrow.status),
    };
  };
  const everywhere = (what: number) => ({
    list: has("list") ? what : undefined,
    item: has("get") ? what : undefined,
    narrow: has("get") ? what : undefined,
  });

  check("every read after a write shows it, whatever was read before", async () => {
    if (has("list")) await ask("GET", newest);
    const row = await bench.row();
    assert.deepEqual(await seen(row.id), everywhere(Number(row.version)));
    if (mayChange) {
      const changed = await bench.change(row);
      assert.equal(changed.status, 200, changed.text);
      assert.deepEqual(await seen(row.id), everywhere(changed.json.version));
    }
    if (has("remove")) {
      assert.equal((await ask("DELETE", item(row.id), { headers })).status, 204);
      assert.deepEqual(await seen(row.id), everywhere(404));
    }
  });

  if (mayChange && has("get"))
    check("while many read, a read that begins after a change was answered shows it", async () => {
      for (let round = 0; round < rounds; round++) await readWhileChanging(bench);
    });
}

async function readWhileChanging(bench: Bench): Promise<void> {
  const { ask, item } = bench;
  const row = await bench.row();
  const known = { version: Number(row.version) };
  const read = async () => {
    for (let n = 0; n < readsOfEach; n++) {
      const least = known.version;
      const { status, json, text } = await ask("GET", item(row.id));
      assert.equal(status, 200, text);
      assert.ok(json.version >= least, `version ${json.version} was read after ${least} was answered`);
    }
  };
  const write = async () => {
    const { status, json, text } = await bench.change(row);
    assert.equal(status, 200, text);
    assert.ok(json.version > known.version);
    known.version = json.version;
  };
  await Promise.all([...Array.from({ length: readers }, read), write()]);
}
