// Every regular expression of the build, and every pattern of a contract, against a checker that knows which
// inputs make a matcher go back and forth.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openApi } from "ashlar/contract";
import { parseSync } from "oxc-parser";
import { check } from "recheck";
import { contracts } from "../../store/services.ts";
import { isTest } from "../boundaries/house.ts";
import { walk, type Node } from "../boundaries/syntax.ts";
import { readTree } from "../boundaries/tree.ts";

interface Pattern {
  where: string;
  source: string;
  flags: string;
}

/** What runs in a serving process. The conformance suite of kernel/testing matches what it made itself. */
function patternsOfSources(): Pattern[] {
  const found: Pattern[] = [];
  for (const [file, text] of readTree()) {
    if (isTest(file) || file.startsWith("kernel/testing/")) continue;
    walk(parseSync(file, text).program as unknown as Node, (node) => {
      const { regex } = node as { regex?: { pattern: string; flags: string } };
      if (node.type === "Literal" && regex) found.push({ where: file, source: regex.pattern, flags: regex.flags });
      return true;
    });
  }
  return found;
}

function patternsOfContracts(): Pattern[] {
  const document = JSON.stringify(openApi(contracts, { title: "", version: "" }));
  return [...new Set(document.match(/"pattern":"(?:[^"\\]|\\.)*"/g))].map((member) => ({
    where: "a contract",
    source: (JSON.parse(`{${member}}`) as { pattern: string }).pattern,
    flags: "u",
  }));
}

async function isSafe({ source, flags }: Pattern): Promise<boolean> {
  return (await check(source, flags)).status === "safe";
}

test("N05 no pattern of the build or of a contract takes more than linear time on any text", async () => {
  const patterns = [...patternsOfSources(), ...patternsOfContracts()];
  assert.ok(patterns.length > 100, `only ${patterns.length} patterns were found`);
  const known = new Map<string, Promise<boolean>>();
  const slow: string[] = [];
  for (const pattern of patterns) {
    const text = `/${pattern.source}/${pattern.flags}`;
    known.set(text, known.get(text) ?? isSafe(pattern));
    if (!(await known.get(text)!)) slow.push(`${pattern.where}: ${text}`);
  }
  assert.deepEqual(slow, []);
});

test("the checker sees what it is there for", async () => {
  for (const source of ["^(a+)+$", "0+$", "[ \\t]+$"])
    assert.equal(await isSafe({ where: "", source, flags: "" }), false);
});
