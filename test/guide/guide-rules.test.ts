// What the test of the guide lets pass, and what it does not.

import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { stepsOf, wordsOf } from "./console.ts";
import { createLikeness } from "./likeness.ts";
import { isShownBy } from "./pages.ts";

const one = "not_01h455vb4pex5vsknk084sn02q";
const two = "not_01m866xjpqfxv83aj722m9ddt1";
const three = "not_01m866xjvyf9vr66056m1cn2a6";

test("a block is its whole file, or an excerpt of whole lines in their order", () => {
  const file = "first\nsecond {\n  inner\n}\nlast\n";
  equal(isShownBy(file, file), true);
  equal(isShownBy(file, "first\nlast\n"), false);
  equal(isShownBy(file, "first\n"), false);
  equal(isShownBy(file, "first\n// ...\n  inner\n}\n// ...\n"), true);
  equal(isShownBy(file, "-- ...\nlast\n"), true);
  equal(isShownBy(file, "last\n// ...\nfirst\n"), false);
  equal(isShownBy(file, "fir\n// ...\n"), false);
});

test("white space outside of quotes does not count, every other character does", () => {
  const { isLike } = createLikeness();
  equal(isLike('{\n  "a": "x y",\n  "b": [1]\n}', '{"a":"x y","b":[1]}'), true);
  equal(isLike('{ "a": "xy" }', '{"a":"x y"}'), false);
  equal(isLike('{ "a": 1 }', '{"a":1,"b":2}'), false);
  equal(isLike('{ "a": 1, ... }', '{"a":1,"b":2}'), true);
  equal(isLike('"at": "2026-11-24T07:21:57.219Z"', '"at":"2027-01-01T00:00:00.000Z"'), true);
  equal(isLike('"at": "2026-11-24T07:21:57.219Z"', '"at":null'), false);
});

test("an id stands for the one that was made, with its prefix, from its first appearance on", () => {
  const { isLike, withRealIds } = createLikeness();
  equal(isLike(`{"id":"${one}","self":"${one}"}`, `{"id":"${two}","self":"${three}"}`), false);
  equal(isLike(`{"id":"${one}"}`, `{"id":"usr_01m866xjpqfxv83aj722m9ddt1"}`), false);
  equal(isLike(`{"id":"${one}","self":"${one}"}`, `{"id":"${two}","self":"${two}"}`), true);
  equal(withRealIds(`curl /notes/${one}`), `curl /notes/${two}`);
  equal(isLike(`{"id":"${one}"}`, `{"id":"${three}"}`), false);
  equal(isLike(`{"id":"${one}"}`, `{"id":"${two}"}`), true);
});

test("a command ends with its line, unless a quote is open or a backslash ends the line", () => {
  deepEqual(stepsOf(`$ one\nprinted\n$ two '{\n  "a": 1\n}' \\\n  more\n$ three "it's"\nlast\n`), [
    { command: "one", output: "printed\n" },
    { command: `two '{\n  "a": 1\n}' \\\n  more`, output: "" },
    { command: `three "it's"`, output: "last\n" },
  ]);
  throws(() => stepsOf("printed\n$ one"), /stands before the first command/);
});

test("words are those of a shell", () => {
  const variables = new Map([["TOKEN", "t k"]]);
  deepEqual(wordsOf(`curl -H "Authorization: Bearer $TOKEN" \\\n  a'b c'"d" '$TOKEN'`, variables), [
    "curl",
    "-H",
    "Authorization: Bearer t k",
    "ab cd",
    "$TOKEN",
  ]);
  throws(() => wordsOf("echo $OTHER", variables), /\$OTHER is used before the page sets it/);
});
