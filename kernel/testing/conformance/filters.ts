// Filters: every one the contract declares, compared with the rows themselves.

import { strict as assert } from "node:assert";
import { type Grammar, grammarOf } from "../../contract/index.ts";
import { type Bench, refused } from "./bench.ts";
import { compare, ensureRows } from "./lists.ts";
import type { Row } from "./subject.ts";

type Parameter = Grammar["parameters"] extends ReadonlyMap<string, infer P> ? P : never;

const wrong: Readonly<Record<string, readonly string[]>> = {
  number: ["x", "", "1.5", "1e3", "0x1", "NaN", "+1", "01", "--1", "1;2"],
  money: ["x", "", "1.234", "1e3", "NaN", ".5", "1."],
  flag: ["", "1", "TRUE", "yes"],
  moment: [
    "",
    "yesterday",
    "2026",
    "9999-99-99",
    "2026-02-30",
    "0000-01-01",
    "2026-01-01T00:00:00",
    "2026-01-01T25:00:00Z",
    "2026-01-01T00:00:00%2B99:00",
    "infinity",
    "now",
  ],
  day: ["", "yesterday", "2026-02-30", "0000-01-01", "9999-99-99", "2026-01-01T00:00:00Z", "today"],
  id: ["", "x", "usr_", "'--"],
  text: [""],
  array: [""],
  json: [],
};

export function checkFilters(bench: Bench): void {
  if (!bench.has("list")) return;
  const { check, ask, collection, shown } = bench;
  const grammar = grammarOf(bench.subject.resource, bench.shape);
  const get = (query: string) => ask("GET", `${collection}?limit=100&sort=id&${query}`);

  for (const [name, parameter] of grammar.parameters) {
    const property = Object.keys(shown).find((one) => bench.shape.newestName(one) === parameter.property)!;
    check(`the filter ${name} shows the rows it names and no others`, async () => {
      await ensureRows(bench, 7);
      const rows = await bench.all("sort=id");
      const values = [...new Set(rows.flatMap((row) => row[property]).filter((value) => value !== null))] as (
        | string
        | number
        | boolean
      )[];
      assert.ok(values.length > 0, `no row has a ${property}: let a body have one`);
      const wanted =
        parameter.comparison === "in"
          ? [values.slice(0, 1), values.slice(-2)]
          : values.slice(0, 5).map((value) => [value]);
      for (const some of wanted) {
        const shown = await bench.all(`sort=id&${name}=${some.map((value) => encodeURIComponent(value)).join(",")}`);
        const expected = rows.filter((row) => matches(row[property], parameter, some));
        assert.deepEqual(shown, expected, `${name}=${some.join(",")}`);
      }
    });

    check(`the filter ${name} refuses what is no value of its kind`, async () => {
      const enumerated = "enum" in parameter.schema ? ["nonsense"] : [];
      for (const value of [...wrong[parameter.kind]!, ...enumerated])
        assert.deepEqual(refused(await get(`${name}=${value}`), 400, "VALIDATION_ERROR"), [name], `${name}=${value}`);
      const { json } = await get("");
      const value = encodeURIComponent(
        String(json.data.flatMap((row: Row) => row[property]).find((one: unknown) => one !== null)),
      );
      assert.deepEqual(refused(await get(`${name}=${value}&${name}=${value}`), 400), [name]);
    });
  }

  check("createdAfter and createdBefore exclude their moment, and a date means midnight in UTC", async () => {
    const { createdAt } = await bench.row();
    const moment = encodeURIComponent(String(createdAt));
    const has = async (query: string) => (await bench.all(query)).some((row) => row.createdAt === createdAt);
    assert.equal(await has(`createdAfter=${moment}`), false);
    assert.equal(await has(`createdBefore=${moment}`), false);
    const day = String(createdAt).slice(0, 10);
    for (const which of ["createdAfter", "createdBefore"]) {
      assert.deepEqual((await get(`${which}=${day}`)).json, (await get(`${which}=${day}T00:00:00Z`)).json);
      // The same moment, told in another zone.
      assert.deepEqual((await get(`${which}=${day}T02:00:00%2B02:00`)).json, (await get(`${which}=${day}`)).json);
    }
  });

  const searched = new Set((bench.subject.resource.spec.searchable ?? []).map(String));
  const searchable = Object.keys(shown).filter((name) => searched.has(bench.shape.newestName(name)));
  if (searchable.length === 0) {
    check("q is refused where nothing is searchable", async () => {
      assert.deepEqual(refused(await get("q=x"), 400), ["q"]);
    });
    return;
  }
  check("q finds text in what is searchable, without case, and takes no character for a wildcard", async () => {
    await ensureRows(bench, 7);
    const rows = await bench.all("sort=id");
    const texts = rows
      .flatMap((row) => searchable.map((name) => row[name]))
      .filter((value): value is string => typeof value === "string" && value.length > 2);
    for (const q of [texts[0]!.slice(1, 20), texts.at(-1)!.toUpperCase().slice(0, 20), "%", "_", "\\", "' or 1=1 --"]) {
      const expected = rows.filter((row) =>
        searchable.some((name) =>
          String(row[name] ?? "")
            .toLowerCase()
            .includes(q.toLowerCase()),
        ),
      );
      assert.deepEqual(await bench.all(`sort=id&q=${encodeURIComponent(q)}`), expected, q);
    }
    for (const q of ["", "x".repeat(201), "%00"]) assert.deepEqual(refused(await get(`q=${q}`), 400), ["q"]);
  });
}

function matches(
  value: unknown,
  { comparison, kind }: Parameter,
  wanted: readonly (string | number | boolean)[],
): boolean {
  if (value === null) return false;
  if (kind !== "array" && Array.isArray(value)) return value.some((one) => wanted.includes(one));
  if (comparison === "in") return [value].flat().some((one) => wanted.includes(one as string));
  const order = compare(value, wanted[0]!);
  return { min: order >= 0, max: order <= 0, after: order > 0, before: order < 0 }[comparison];
}
