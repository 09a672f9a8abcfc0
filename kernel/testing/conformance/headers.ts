// What every answer carries, and what none may.

import { strict as assert } from "node:assert";
import type { Bench } from "./bench.ts";
import { addresses } from "./methods.ts";
import { ensureRows } from "./lists.ts";

export function checkHeaders(bench: Bench): void {
  const { check, ask, collection, item, has, subject } = bench;

  check("X-Request-Id is echoed when it is harmless, and made otherwise", async () => {
    const idOf = async (headers: Record<string, string> = {}) =>
      (await ask("GET", collection, { headers })).headers.get("x-request-id")!;
    assert.equal(await idOf({ "x-request-id": "abc-123_x.y" }), "abc-123_x.y");
    const made = [
      await idOf(),
      await idOf(),
      await idOf({ "x-request-id": "two words" }),
      await idOf({ "x-request-id": "x".repeat(129) }),
      await idOf({ "x-request-id": '{"level":50}' }),
    ];
    for (const id of made) assert.match(id, /^[\w.-]{16,128}$/);
    assert.equal(new Set(made).size, made.length);
  });

  check("security headers are on successes and refusals, and nothing says what serves", async () => {
    const answers = [
      await ask("GET", collection),
      await ask("GET", "/v1/there-is-nothing-here"),
      await ask("OPTIONS", collection),
      ...(has("get") ? [await ask("GET", item((await bench.row()).id))] : []),
    ];
    for (const { headers } of answers) {
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.match(headers.get("content-security-policy")!, /default-src 'none'/);
      assert.ok(headers.get("date") !== null);
      for (const name of ["x-powered-by", "server", "set-cookie", "access-control-allow-origin"])
        assert.equal(headers.get(name), null, name);
    }
  });

  check("what is private is never public to a cache, and no write is stored", async () => {
    for (const [what, path] of addresses(bench)) {
      const action = what === "a list" ? "list" : "get";
      const { headers } = await ask("GET", await path());
      const isOpen = subject.resource.spec.access[action]!.includes("anyone");
      assert.match(headers.get("cache-control")!, isOpen ? /no-cache/ : /private|no-store/);
      if (!isOpen) assert.doesNotMatch(headers.get("cache-control")!, /public/);
    }
    if (has("create"))
      assert.equal(
        (await ask("POST", collection, { body: bench.nextBody() })).headers.get("cache-control"),
        "no-store",
      );
    if (has("update") || has("replace"))
      assert.equal((await bench.change(await bench.row())).headers.get("cache-control"), "no-store");
    if (has("remove"))
      assert.equal(
        (await ask("DELETE", item((await bench.row()).id), { headers: { "if-match": "*" } })).headers.get(
          "cache-control",
        ),
        "no-store",
      );
  });

  if (has("list")) {
    check("answers over 1 KiB are compressed as asked, small ones are not, and both vary by it", async () => {
      await ensureRows(bench, 7);
      const small = `${collection}?limit=1&fields=id`;
      const large = `${collection}?limit=100`;
      const codingOf = async (path: string, accepted: string) => {
        const { headers, text } = await ask("GET", path, { headers: { "accept-encoding": accepted } });
        assert.match(headers.get("vary")!, /Accept-Encoding/i);
        assert.ok(text.startsWith("{"));
        return headers.get("content-encoding");
      };
      assert.deepEqual(
        [await codingOf(large, "gzip"), await codingOf(large, "br"), await codingOf(large, "gzip, br")],
        ["gzip", "br", "br"],
      );
      assert.deepEqual(
        [
          await codingOf(large, "identity"),
          await codingOf(large, "gzip;q=0"),
          await codingOf(large, "zstd"),
          await codingOf(small, "gzip, br"),
        ],
        [null, null, null, null],
      );
    });
  }
}
