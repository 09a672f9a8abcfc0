// PUT, PATCH and the events of a change.

import { strict as assert } from "node:assert";
import { isNullable } from "../../contract/index.ts";
import { type Bench, refused } from "./bench.ts";
import type { Row } from "./subject.ts";

export function checkChanges(bench: Bench): void {
  const { check, ask, item, has, whole } = bench;
  const headers = { "if-match": "*" };
  const written = Object.entries(bench.writable).filter(
    ([name]) => !(bench.shape.newestName(name) in (bench.subject.resource.spec.writableBy ?? {})),
  );
  const unique = new Set((bench.subject.resource.spec.unique ?? []).flat().map(String));

  if (has("update")) {
    check("PATCH changes what it names and nothing else, and counts the version up by one", async () => {
      const row = await bench.row();
      const body = bench.variation(row);
      const { status, json, text } = await ask("PATCH", item(row.id), { body, headers });
      assert.equal(status, 200, text);
      const { version, updatedAt } = json;
      assert.deepEqual(
        json,
        { ...row, ...body, version: Number(row.version) + 1, updatedAt, ...derivedOf(bench, json) },
        String(version),
      );
      assert.deepEqual(await bench.read(row.id), json);
    });

    check("PATCH that changes nothing keeps version, ETag and time, and emits nothing", async () => {
      const row = await bench.row();
      const before = await eventsOf(bench, row.id);
      const same = Object.fromEntries(written.map(([name]) => [name, row[name]]));
      for (const body of [{}, same, { version: row.version }, ...written.map(([name]) => ({ [name]: row[name] }))]) {
        const answer = await ask("PATCH", item(row.id), {
          body,
          headers: { ...headers, "content-type": "application/merge-patch+json" },
        });
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(answer.json, row);
      }
      assert.deepEqual(await eventsOf(bench, row.id), before);
    });

    check("null in a PATCH empties what may be empty, brings back a default, and is refused for the rest", async () => {
      for (const [name, schema] of written) {
        const row = await bench.row();
        const answer = await ask("PATCH", item(row.id), { body: { [name]: null }, headers });
        if ("default" in schema)
          assert.deepEqual([answer.status, answer.json[name]], [200, schema.default], `${name}: ${answer.text}`);
        else assert.deepEqual(refused(answer, 400, "VALIDATION_ERROR"), [name]);
      }
    });

    for (const [name, schema] of written.filter(([, { properties }]) => properties !== undefined)) {
      check(`PATCH merges into ${name}, it does not replace it (RFC 7396)`, async () => {
        const row = await bench.row();
        const inner = row[name] as Record<string, unknown>;
        const [first, ...others] = Object.keys(schema.properties!);
        const value = { [first!]: inner[first!] };
        const { json, text } = await ask("PATCH", item(row.id), { body: { [name]: value }, headers });
        assert.deepEqual(json[name], inner, text);
        for (const other of others.filter((one) => isNullable(schema.properties![one]!))) {
          const emptied = await ask("PATCH", item(row.id), { body: { [name]: { [other]: null } }, headers });
          assert.deepEqual(emptied.json[name], { ...inner, [other]: null });
          await ask("PATCH", item(row.id), { body: { [name]: inner }, headers });
        }
      });
    }
  }

  if (has("replace")) {
    check("PUT brings what it leaves out back to its default", async () => {
      const row = await bench.row();
      const optional = written.filter(([name, schema]) => "default" in schema && !unique.has(name));
      const body = Object.fromEntries(
        Object.entries(whole(row)).filter(([name]) => !optional.some(([other]) => other === name)),
      );
      const { status, json, text } = await ask("PUT", item(row.id), { body, headers });
      assert.equal(status, 200, text);
      for (const [name, schema] of optional) assert.deepEqual(json[name], schema.default, name);
      for (const name of Object.keys(body)) assert.deepEqual(json[name], row[name], name);
    });

    check("PUT to an id that no row has is 404: the service names its rows", async () => {
      refused(await ask("PUT", item(bench.unknownId), { body: whole(await bench.row()), headers }), 404);
    });
  }

  for (const group of bench.subject.resource.spec.unique ?? []) {
    const names = Object.keys(bench.writable).filter((name) =>
      group.map(String).includes(bench.shape.newestName(name)),
    );
    if (names.length !== group.length || !has("create")) continue;
    check(`the same ${names.join(" and ")} twice is 409 DUPLICATE and names it`, async () => {
      const [row, other] = [await bench.row(), await bench.row()];
      const taken = Object.fromEntries(names.map((name) => [name, row[name]]));
      assert.deepEqual(
        refused(await ask("POST", bench.collection, { body: { ...bench.nextBody(), ...taken } }), 409, "DUPLICATE"),
        names,
      );
      if (has("update")) refused(await ask("PATCH", item(other.id), { body: taken, headers }), 409, "DUPLICATE");
      if (has("replace"))
        refused(await ask("PUT", item(other.id), { body: { ...whole(other), ...taken }, headers }), 409, "DUPLICATE");
      assert.deepEqual(await bench.read(other.id), other);
    });
  }

  const { events } = bench.subject.resource;
  if (has("create") && events.created !== undefined) {
    check("each change announces itself once, with the version it led to and the row as it became", async () => {
      const row = await bench.row();
      const expected = [[events.created!.type, 1]];
      if ((has("update") || has("replace")) && events.updated) {
        assert.equal((await bench.change(row)).status, 200);
        expected.push([events.updated.type, 2]);
      }
      if (has("remove") && events.deleted) {
        assert.equal((await ask("DELETE", item(row.id), { headers })).status, 204);
        expected.push([events.deleted.type, expected.length + 1]);
      }
      const emitted = await eventsOf(bench, row.id);
      assert.deepEqual(
        emitted.map(({ type, version }) => [type, version]),
        expected,
      );
      for (const { data, version } of emitted as { data: Row; version: number }[]) {
        assert.deepEqual([data.id, data.version], [row.id, version]);
        for (const name of Object.keys(bench.subject.resource.spec.private ?? {})) assert.ok(!(name in data), name);
      }
    });
  }
}

export function eventsOf({ system, subject }: Bench, id: string): Promise<Record<string, unknown>[]> {
  return system.rows(
    subject.contract.name,
    "select type, version, data from ashlar.outbox where aggregate_id = $1 order by seq",
    [id],
  );
}

function derivedOf({ subject }: Bench, row: Row): object {
  return Object.fromEntries((subject.derived ?? []).map((name) => [name, row[name]]));
}
