// docs/guide/reference.md names everything there is, and its table of columns is what the start accepts.

import { deepEqual, equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseSync } from "oxc-parser";
import { silentLogger, systemClock } from "ashlar/base";
import {
  anyone,
  currency,
  day,
  email,
  flag,
  id,
  integer,
  list,
  moment,
  money,
  object,
  oneOf,
  resource,
  text,
  type TSchema,
} from "ashlar/contract";
import { createDatabase, findDrift } from "ashlar/data";
import { createTestDatabase } from "ashlar/testing";
import { keyOf, type Node, nodesIn, walk } from "./boundaries/syntax.ts";
import { root } from "./guide/pages.ts";

const reference = readFileSync(`${root}docs/guide/reference.md`, "utf8");

/** Whether the reference has the name in code: by itself, or as a part of an expression. */
function isNamed(name: string): boolean {
  return [...reference.matchAll(/`([^`\n]+)`/g)].some(([, code]) => new RegExp(`\\b${name}\\b`).test(code!));
}

test("every option of a resource, an operation, a service, an app and a test is in the reference", () => {
  const missing = [
    ...membersOf("kernel/contract/resource.ts", "ResourceSpec"),
    ...membersOf("kernel/contract/operation.ts", "OperationSpec"),
    ...membersOf("kernel/contract/operation.ts", "RateLimit"),
    ...membersOf("kernel/contract/service.ts", "ServiceSpec"),
    ...membersOf("kernel/contract/version.ts", "Change"),
    ...membersOf("kernel/runtime/app.ts", "AppSpec"),
    ...membersOf("kernel/service/implement.ts", "Job"),
    ...membersOf("kernel/testing/conformance/subject.ts", "Subject"),
  ].filter((name) => !isNamed(name));
  deepEqual(missing, []);
});

test("every word of the vocabulary and of access is in the reference", () => {
  const words = [...exportsOf("kernel/contract/schema.ts"), ...exportsOf("kernel/contract/access.ts")];
  const forTools = new Set(["isNullable", "isOptional", "kindOf", "schemaOf"]);
  ok(words.length > 15);
  deepEqual(
    words.filter((name) => !forTools.has(name) && !isNamed(name)),
    [],
  );
});

/** A property for each row of the table of columns, by the word that the row begins with. */
const samples: Record<string, TSchema> = {
  text: text({ max: 10 }),
  email: email(),
  integer: integer(),
  money: money(),
  currency: currency(),
  flag: flag(),
  oneOf: oneOf(["open", "paid"]),
  id: id("inv"),
  moment: moment(),
  day: day(),
  "list(text": list(text({ max: 9 }), { max: 9 }),
  "list(object": list(object({}), { max: 9 }),
  object: object({}),
};

test("every column that the reference names for a word is one that the start accepts", async () => {
  const { url } = await createTestDatabase();
  const database = createDatabase({ url, log: silentLogger, clock: systemClock });
  const rows = [...reference.matchAll(/^\| `((?:list\()?\w+)[^|]*\|[^|]+\| ([^|]+) \|$/gm)].filter(([, word]) =>
    Object.hasOwn(samples, word!),
  );
  equal(rows.length, Object.keys(samples).length);
  for (const [index, [, word, cell]] of rows.entries()) {
    for (const [number, [, type]] of [...cell!.matchAll(/`([^`]+)`/g)].entries()) {
      const table = `t${index}_${number}`;
      const column = type!.replace("(max)", "(10)");
      await database.query(`create table ${table} (id uuid primary key, sample ${column} not null,
        version integer not null, created_at timestamptz not null, updated_at timestamptz not null)`);
      const properties = { sample: samples[word!]! };
      const sample = resource("sample", { path: "/samples", id: "smp", table, properties, access: { get: anyone } });
      deepEqual(await findDrift(database, [sample]), [], `${word} in ${type}`);
    }
  }
  await database.close();
});

function parse(file: string): Node {
  return parseSync(file, readFileSync(root + file, "utf8")).program as unknown as Node;
}

/** The names of an interface's members. */
function membersOf(file: string, name: string): string[] {
  const found: string[] = [];
  walk(parse(file), (node) => {
    if (node.type !== "TSInterfaceDeclaration" || keyOf(node["id"] as Node) !== name) return true;
    found.push(...nodesIn((node["body"] as Node)["body"]).map((member) => keyOf(member["key"] as Node)));
    return false;
  });
  ok(found.length > 0, `${file} has no interface ${name}`);
  return found;
}

/** The values that a file exports. */
function exportsOf(file: string): string[] {
  return nodesIn(parse(file)["body"]).flatMap((node) => {
    const [declaration] = node.type === "ExportNamedDeclaration" ? nodesIn(node["declaration"]) : [];
    if (declaration?.type === "FunctionDeclaration") return [keyOf(declaration["id"] as Node)];
    if (declaration?.type !== "VariableDeclaration") return [];
    return nodesIn(declaration["declarations"]).map((one) => keyOf(one["id"] as Node));
  });
}
