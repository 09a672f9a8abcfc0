// ETag, If-None-Match, If-Match, and the version in a body.

import { strict as assert } from "node:assert";
import { addresses } from "./methods.ts";
import { type Bench, refused } from "./bench.ts";

export function checkConditions(bench: Bench): void {
  const { check, ask, item, has, subject } = bench;
  const required = subject.resource.spec.precondition === "required";

  for (const [what, path] of addresses(bench)) {
    check(`${what} has a strong ETag, and who has it already gets 304`, async () => {
      const address = await path();
      const first = await ask("GET", address);
      const etag = first.headers.get("etag")!;
      assert.match(etag, /^"[^"]+"$/);
      for (const [value, status] of [
        [etag, 304],
        [`W/${etag}`, 304],
        [`"other", ${etag}`, 304],
        ["*", 304],
        ['"other"', 200],
      ] as const) {
        const answer = await ask("GET", address, { headers: { "if-none-match": value } });
        assert.equal(answer.status, status, value);
        assert.equal(answer.headers.get("etag"), etag);
        if (status === 304) assert.equal(answer.text, "");
        for (const name of ["cache-control", "vary", "api-version"])
          assert.equal(answer.headers.get(name), first.headers.get(name), name);
      }
      assert.equal((await ask("HEAD", address, { headers: { "if-none-match": etag } })).status, 304);
    });

    check(`another representation of ${what} has another ETag: fields, version, encoding`, async () => {
      const address = await path();
      const tags = new Map<string, string>();
      for (const version of subject.contract.versions) {
        for (const query of ["", "?fields=id", "?fields=createdAt,id"]) {
          const variant = address.replace(/^\/v\d+/, `/v${version.number}`) + query;
          const { headers, text } = await ask("GET", variant);
          const tag = headers.get("etag")!;
          assert.ok(!tags.has(tag) || tags.get(tag) === text, `${tag} is both ${tags.get(tag)} and ${text}`);
          tags.set(tag, text);
        }
      }
    });
  }

  if (has("list")) {
    check("a compressed list has an ETag of its own, which gives 304 again", async () => {
      for (let count = 0; count < 6; count++) await bench.row();
      const path = `${bench.collection}?limit=100`;
      const plain = await ask("GET", path, { headers: { "accept-encoding": "identity" } });
      assert.ok(plain.text.length > 1024);
      for (const coding of ["gzip", "br"]) {
        const headers = { "accept-encoding": coding };
        const encoded = await ask("GET", path, { headers });
        const etag = encoded.headers.get("etag")!;
        assert.deepEqual([encoded.headers.get("content-encoding"), encoded.text], [coding, plain.text]);
        assert.notEqual(etag, plain.headers.get("etag"));
        assert.equal((await ask("GET", path, { headers: { ...headers, "if-none-match": etag } })).status, 304);
        assert.equal(
          (await ask("GET", path, { headers: { ...headers, "if-none-match": plain.headers.get("etag")! } })).status,
          200,
        );
      }
    });
  }

  if (!has("update") && !has("replace")) return;

  check(
    "a write with a stale, weak or foreign If-Match is 412 and changes nothing; with the current one it is done",
    async () => {
      const row = await bench.row();
      const etag = `"${String(row.version)}"`;
      for (const value of ['"999"', `W/${etag}`, '"other", "9"', '"0"', `"${String(row.version)}0"`]) {
        refused(await bench.change(row, { headers: { "if-match": value } }), 412, "PRECONDITION_FAILED");
        if (has("remove")) refused(await ask("DELETE", item(row.id), { headers: { "if-match": value } }), 412);
      }
      for (const value of ["nonsense", "", '"open'])
        refused(await bench.change(row, { headers: { "if-match": value } }), 400);
      assert.deepEqual(await bench.read(row.id), row);
      const changed = await bench.change(row, { headers: { "if-match": `"999", ${etag}` } });
      assert.deepEqual([changed.status, changed.json?.version], [200, Number(row.version) + 1], changed.text);
      assert.notEqual(changed.headers.get("etag"), etag);
      refused(await bench.change(row, { headers: { "if-match": etag } }), 412);
    },
  );

  if (has("get")) {
    check("If-Match takes the tag of any representation: it is the row that must not have changed", async () => {
      for (const query of ["?fields=id", "", ...subject.contract.versions.map(({ number }) => `?version=${number}`)]) {
        const row = await bench.row();
        const seen = await ask("GET", `${bench.bare}/${row.id}${query}`);
        const { status, text } = await bench.change(row, { headers: { "if-match": seen.headers.get("etag")! } });
        assert.equal(status, 200, text);
      }
    });
  }

  check("the version in the body does the same with 409, also beside an If-Match that holds", async () => {
    const row = await bench.row();
    const conditions: Record<string, string>[] = [{}, { "if-match": "*" }, { "if-match": `"${String(row.version)}"` }];
    for (const headers of conditions) {
      const stale = await bench.change(row, { headers, body: { ...bench.changeBody(row), version: 999 } });
      assert.deepEqual(refused(stale, 409, "VERSION_CONFLICT"), ["version"]);
    }
    for (const version of ["1", 0, 1.5, -1, true]) {
      assert.deepEqual(
        refused(await bench.change(row, { headers: {}, body: { ...bench.changeBody(row), version } }), 400),
        ["version"],
      );
    }
    assert.deepEqual(await bench.read(row.id), row);
    refused(
      await bench.change(row, {
        headers: { "if-match": '"999"' },
        body: { ...bench.changeBody(row), version: row.version },
      }),
      412,
    );
    const done = await bench.change(row, { headers: {}, body: { ...bench.changeBody(row), version: row.version } });
    assert.equal(done.status, 200, done.text);
  });

  check(
    required ? "a write that names no version is 428 and changes nothing" : "a write may leave out the version",
    async () => {
      const row = await bench.row();
      const methods = (["replace", "update", "remove"] as const)
        .filter(has)
        .map((action) => ({ replace: "PUT", update: "PATCH", remove: "DELETE" })[action]);
      for (const method of methods) {
        const body =
          method === "DELETE"
            ? {}
            : { body: method === "PUT" ? { ...bench.whole(row), ...bench.variation(row) } : bench.variation(row) };
        const answer = await ask(method, item(row.id), body);
        if (!required) assert.ok(answer.status < 300, answer.text);
        else assert.deepEqual(refused(answer, 428, "PRECONDITION_REQUIRED"), ["If-Match"], method);
      }
      if (required && has("update"))
        refused(await ask("PATCH", item(row.id), { body: { ...bench.variation(row), version: null } }), 428);
      if (required) assert.deepEqual(await bench.read(row.id), row);
    },
  );
}
