// Status codes, HEAD, OPTIONS, Allow and what is acceptable.

import { strict as assert } from "node:assert";
import type { TestAnswer } from "../client.ts";
import { type Bench, nobody, refused } from "./bench.ts";

const plain = { "accept-encoding": "identity" };

export function checkMethods(bench: Bench): void {
  const { check, ask, collection, item, has, subject } = bench;

  if (has("create") && subject.make === undefined) {
    check("POST answers 201, Location, a strong ETag and the row, which reads back as it was sent", async () => {
      const body = bench.nextBody();
      const created = await ask("POST", collection, { body });
      assert.equal(created.status, 201, created.text);
      assert.equal(created.headers.get("location"), item(created.json.id));
      assert.match(created.headers.get("etag")!, /^"[^"]+"$/);
      const once = Object.keys(subject.resource.spec.shownOnce ?? {});
      assert.deepEqual(Object.keys(created.json), [...Object.keys(bench.shown), ...once]);
      assert.equal(created.json.version, 1);
      assert.equal(created.json.createdAt, created.json.updatedAt);
      assert.match(created.json.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
      const same = Object.keys(body).filter((name) => name in bench.shown && !subject.derived?.includes(name));
      for (const name of same) assert.deepEqual(created.json[name], body[name], name);
      for (const [name, schema] of Object.entries(bench.creatable)) {
        if (!(name in body) && name in bench.shown && "default" in schema)
          assert.deepEqual(created.json[name], schema.default, name);
      }
      const lasting = Object.fromEntries(Object.entries(created.json).filter(([name]) => !once.includes(name)));
      if (has("get")) assert.deepEqual((await ask("GET", created.headers.get("location")!)).json, lasting);
    });
  }

  for (const [what, path] of addresses(bench)) {
    check(`HEAD of ${what} is GET without the body`, async () => {
      const address = await path();
      const get = await ask("GET", address, { headers: plain });
      const head = await ask("HEAD", address, { headers: plain });
      assert.deepEqual([head.status, head.text], [get.status, ""]);
      for (const name of ["content-type", "content-length", "etag", "cache-control", "api-version", "vary", "link"]) {
        assert.equal(head.headers.get(name), get.headers.get(name), name);
      }
    });

    check(`only JSON is answered for ${what}: anything else is 406`, async () => {
      const address = await path();
      const accept = async (value: string) => ask("GET", address, { headers: { accept: value } });
      for (const value of [
        "*/*",
        "application/*",
        "application/json",
        "text/html, */*;q=0.1",
        "application/problem+json",
      ]) {
        const { status, headers } = await accept(value);
        assert.equal(status, 200, value);
        assert.match(headers.get("content-type")!, /^application\/json(;|$)/);
      }
      for (const value of ["text/html", "application/xml", "application/json;q=0", "image/*"])
        refused(await accept(value), 406, "NOT_ACCEPTABLE");
      refused(await accept("not a media range"), 400);
    });
  }

  for (const [what, path, allow] of paths(bench)) {
    check(
      `OPTIONS of ${what} is 204 with Allow and needs no credentials; any other method is 405 with the same Allow`,
      async () => {
        const options = await ask("OPTIONS", path, { as: nobody });
        assert.deepEqual([options.status, options.text, listed(options, "allow")], [204, "", allow]);
        if (allow.includes("PATCH"))
          assert.deepEqual(listed(options, "accept-patch"), ["application/json", "application/merge-patch+json"]);
        for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"].filter(
          (name) => !allow.includes(name),
        )) {
          const answer = await ask(method, path, { as: nobody });
          assert.deepEqual([answer.status, listed(answer, "allow")], [405, allow], method);
        }
      },
    );
  }

  check("an address that does not exist is 404, whoever asks", async () => {
    for (const as of [bench.callers.able, nobody]) {
      for (const path of ["/v1/there-is-nothing-here", `${collection}/${bench.unknownId}/nothing`])
        refused(await ask("GET", path, { as }), 404, "NOT_FOUND");
    }
  });

  if (has("get") && has("remove")) {
    check("a method in a header or parameter is not obeyed", async () => {
      const { id } = await bench.row();
      for (const name of ["x-http-method-override", "x-http-method", "x-method-override"]) {
        assert.equal((await ask("GET", item(id), { headers: { [name]: "DELETE" } })).status, 200);
      }
      refused(await ask("GET", `${item(id)}?_method=DELETE`), 400);
      await bench.read(id);
    });
  }
}

/** What can be read. */
export function addresses({ has, collection, item, row }: Bench): [what: string, path: () => Promise<string>][] {
  return [
    ...(has("list") ? [["a list", async () => collection] as [string, () => Promise<string>]] : []),
    ...(has("get") ? [["a row", async () => item((await row()).id)] as [string, () => Promise<string>]] : []),
  ];
}

function paths({
  subject: { contract, resource },
  collection,
  item,
  unknownId,
}: Bench): [what: string, path: string, allow: string[]][] {
  const allowOf = (path: string) => {
    const shape = (one: string) => one.replace(/\{\w+\}/g, "{}");
    const methods = new Set<string>(
      Object.values(contract.allOperations)
        .filter((one) => shape(one.path) === shape(path))
        .map(({ method }) => method),
    );
    return ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].filter(
      (name) => name === "OPTIONS" || methods.has(name === "HEAD" ? "GET" : name),
    );
  };
  const { path } = resource.spec;
  const all: [string, string, string[]][] = [
    ["the collection", collection, allowOf(path)],
    ["a row", item(unknownId), allowOf(`${path}/{id}`)],
  ];
  return all.filter(([, , allow]) => allow.length > 1);
}

function listed({ headers }: TestAnswer, name: string): string[] {
  return headers.get(name)?.split(", ") ?? [];
}
