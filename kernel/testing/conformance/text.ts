// Text comes back byte for byte, and its length is counted in code points.

import { strict as assert } from "node:assert";
import { kindOf } from "../../contract/index.ts";
import { type Bench, refused } from "./bench.ts";

/** Composed and decomposed, right to left, outside the basic plane, white space, what SQL and JSON quote. */
const odd = ` \u00e9e\u0301\u202e\u6f22\u{1F600}\u{10FFFF}\u00a0\t\r\n'"\\%_$1;--<b>\u2028\uFEFF\uFFFD\u0001\u007f `;

export function checkText(bench: Bench): void {
  const { check, ask, item, has } = bench;
  if (!has("update")) return;
  const rules = bench.subject.resource.spec.writableBy ?? {};
  const free = Object.entries(bench.writable).filter(
    ([name, schema]) =>
      kindOf(schema) === "text" &&
      schema.pattern === undefined &&
      schema.format === undefined &&
      schema.enum === undefined &&
      !(name in rules),
  );
  for (const [name, schema] of free) {
    const maxLength = Number(schema.maxLength);
    check(`the text of ${name} reads back as it was sent, up to ${maxLength} code points`, async () => {
      const { id } = await bench.row();
      const send = (value: string) => ask("PATCH", item(id), { body: { [name]: value }, headers: { "if-match": "*" } });
      for (const text of [Array.from(odd).slice(0, maxLength).join(""), "\u{1F600}".repeat(maxLength), "x"]) {
        const answer = await send(text);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.json[name], text);
        assert.equal((await bench.read(id))[name], text);
      }
      assert.deepEqual(refused(await send("\u{1F600}".repeat(maxLength + 1)), 400), [name]);
    });
  }
}
