// Writers who saw the same version, all at once.

import { strict as assert } from "node:assert";
import type { Bench } from "./bench.ts";

const writers = 12;

export function checkRaces(bench: Bench): void {
  const { check, has } = bench;
  if (!has("update") && !has("replace")) return;
  for (const [how, status] of [
    ["If-Match", 412],
    ["version in the body", 409],
  ] as const) {
    check(`of ${writers} writers with one ${how} one gets 200 and the others ${status}`, async () => {
      const row = await bench.row();
      const bodies = Array.from({ length: writers }, () => bench.changeBody(row));
      const answers = await Promise.all(
        bodies.map((body) =>
          how === "If-Match"
            ? bench.change(row, { body, headers: { "if-match": `"${String(row.version)}"` } })
            : bench.change(row, { headers: {}, body: { ...body, version: row.version } }),
        ),
      );
      assert.deepEqual(
        answers.map((answer) => answer.status).toSorted((a, b) => a - b),
        [200, ...Array.from({ length: writers - 1 }, () => status)],
      );
      const won = answers.find((answer) => answer.status === 200)!;
      assert.equal(won.json.version, Number(row.version) + 1);
      assert.deepEqual(await bench.read(row.id), won.json);
    });
  }
}
