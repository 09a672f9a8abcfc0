import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../contract/index.ts";
import { encodedTag, etagOf, matchesStrong, matchesWeak, parseEntityTags, plainTag } from "./etag.ts";

test("a star, one tag and a list are read", () => {
  equal(parseEntityTags(" * "), "*");
  deepEqual(parseEntityTags('"3"'), [{ weak: false, tag: "3" }]);
  deepEqual(parseEntityTags('W/"a,b" ,, "",\t"c"'), [
    { weak: true, tag: "a,b" },
    { weak: false, tag: "" },
    { weak: false, tag: "c" },
  ]);
});

test("anything else is refused with 400 that names the header", () => {
  for (const header of ["", ",", "3", '"3', '3"', 'w/"3"', '"a" "b"', '*, "a"', '"a b"', '"a"b', "'3'"]) {
    throws(
      () => parseEntityTags(header, "if-none-match"),
      (error: unknown) =>
        error instanceof Failure && error.status === 400 && error.details[0]?.field === "If-None-Match",
      header,
    );
  }
});

test("strong comparison ignores weak tags, weak comparison ignores weakness", () => {
  equal(matchesStrong('"1", "2"', ['"2"']), true);
  equal(matchesStrong('W/"2"', ['"2"']), false);
  equal(matchesStrong('"2"', ['W/"2"']), false);
  equal(matchesStrong("*", ['"2"']), true);
  equal(matchesStrong("*", []), false);
  equal(matchesWeak('W/"2"', ['"2"']), true);
  equal(matchesWeak('"2"', ['W/"2"']), true);
  equal(matchesWeak('"1"', ['"2"']), false);
});

test("a coding gives a tag of its own, from which the plain one can be read", () => {
  equal(encodedTag('"3"', "br"), '"3.br"');
  equal(encodedTag('"3"', "identity"), '"3"');
  equal(encodedTag('W/"3"', "gzip"), 'W/"3"');
  equal(plainTag("3.br"), "3");
  equal(plainTag("3.gzip"), "3");
  equal(plainTag("3"), "3");
});

test("equal bytes have equal tags, as text or as bytes", () => {
  equal(etagOf("[1]"), etagOf(new TextEncoder().encode("[1]")));
  notEqual(etagOf("[1]"), etagOf("[2]"));
  equal(matchesStrong(etagOf("x"), [etagOf("x")]), true);
});

test("any header is read or refused, and what is read writes back to the same tags", () => {
  const piece = fc.constantFrom('"', "W/", "*", ",", " ", "3", "a", "\u00e9", "\u0000", "\\");
  fc.assert(
    fc.property(fc.string({ unit: piece }), (header) => {
      try {
        const tags = parseEntityTags(header);
        if (tags === "*") return true;
        const again = tags.map(({ weak, tag }) => `${weak ? "W/" : ""}"${tag}"`).join(",");
        deepEqual(parseEntityTags(again), tags);
        return true;
      } catch (error) {
        return error instanceof Failure && error.status === 400;
      }
    }),
    { numRuns: 2_000 },
  );
});
