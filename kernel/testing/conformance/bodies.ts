// What a body must be: its media type, its size, its JSON, its properties.

import { strict as assert } from "node:assert";
import { createGzip } from "node:zlib";
import { isNullable, restorersOf } from "../../contract/index.ts";
import type { TestAnswer } from "../client.ts";
import { type Ask, type Bench, refused } from "./bench.ts";
import type { Body, Row } from "./subject.ts";
import { malformed } from "./malformed-json.ts";
import { allWrong, wrongValues } from "./wrong-values.ts";

/** One way to send a body, with bodies that would be accepted. */
interface Write {
  method: "POST" | "PUT" | "PATCH";
  properties: Bench["writable"];
  valid(): Promise<Body>;
  /** PUT and PATCH go to the row that `valid` took its values from. */
  send(ask: Ask): Promise<TestAnswer>;
}

export function checkBodies(bench: Bench): void {
  for (const write of writesOf(bench)) checkWrite(bench, write);
}

function writesOf(bench: Bench): Write[] {
  const { has, ask, item, collection, nextBody, whole } = bench;
  let row: Row | undefined;
  const fresh = async () => whole((row = await bench.row()));
  const onRow = async (method: string, request: Ask) =>
    ask(method, item((row ??= await bench.row()).id), { ...request, headers: { "if-match": "*", ...request.headers } });
  const all: (Write | false)[] = [
    has("create") && {
      method: "POST",
      properties: bench.creatable,
      valid: async () => nextBody(),
      send: (request) => ask("POST", collection, request),
    },
    has("replace") && {
      method: "PUT",
      properties: bench.writable,
      valid: fresh,
      send: (request) => onRow("PUT", request),
    },
    has("update") && {
      method: "PATCH",
      properties: bench.writable,
      valid: async () => openPart(bench, await fresh()),
      send: (request) => onRow("PATCH", request),
    },
  ];
  return all.filter((write) => write !== false);
}

/** Without what only some may write: a PATCH of it could be refused for that. */
function openPart({ subject, shape }: Bench, body: Body): Body {
  const rules = subject.resource.spec.writableBy ?? {};
  return Object.fromEntries(Object.entries(body).filter(([name]) => !(shape.newestName(name) in rules)));
}

function checkWrite(bench: Bench, { method, properties, valid, send }: Write): void {
  const { check } = bench;
  const patches = method === "PATCH" ? ["application/merge-patch+json"] : [];

  check(
    `${method} takes ${["application/json", ...patches].join(" and ")} in UTF-8, and answers anything else with 415`,
    async () => {
      const body = JSON.stringify(await valid());
      const types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonx",
        "application/xml",
      ];
      if (method !== "PATCH") types.push("application/merge-patch+json");
      for (const type of types) {
        const answer = await send({ body, headers: { "content-type": type } });
        refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE");
        if (method === "PATCH")
          assert.equal(answer.headers.get("accept-patch"), "application/json, application/merge-patch+json");
      }
      refused(await send({ body: new TextEncoder().encode(body), headers: { "content-type": "" } }), 415);
      const gzip = createGzip();
      gzip.end(body);
      refused(await send({ body: Buffer.concat(await gzip.toArray()), headers: { "content-encoding": "gzip" } }), 415);
      for (const type of ["application/json;charset=utf-8", 'Application/JSON; charset="UTF-8"', ...patches]) {
        const answer = await send({ body: await valid(), headers: { "content-type": type } });
        assert.ok(answer.status < 300, `${type}: ${answer.text}`);
      }
    },
  );

  check(`${method} of more than 1 MiB is 413, of less it is read`, async () => {
    const limit = 1024 * 1024;
    refused(await send({ body: " ".repeat(limit - 1) + "{}" }), 413, "PAYLOAD_TOO_LARGE");
    refused(await send({ body: " ".repeat(limit - 1) + "{" }), 400, "MALFORMED_JSON");
  });

  check(`${method} of JSON that is broken, or could be read in two ways, is 400 MALFORMED_JSON`, async () => {
    for (const [what, body] of Object.entries(malformed)) {
      const answer = await send({ body });
      assert.deepEqual([answer.status, answer.json?.error.code], [400, "MALFORMED_JSON"], `${what}: ${answer.text}`);
    }
    assert.equal((await bench.ask("GET", "/health")).status, 200);
  });

  check(`${method} of something that is no object is 400`, async () => {
    for (const body of ["[]", "null", "1", '"text"', "true"])
      assert.deepEqual(refused(await send({ body }), 400, "VALIDATION_ERROR"), ["body"]);
  });

  check(`${method} refuses each wrong value and names it by the client's path`, async () => {
    const body = await valid();
    for (const [name, schema] of Object.entries(properties)) {
      for (const { field, value } of wrongValues(schema, name, body[name])) {
        const answer = await send({ body: { ...body, [name]: value } });
        const message = `${field} = ${JSON.stringify(value)?.slice(0, 100)}: ${answer.text}`;
        assert.deepEqual([answer.status, answer.json?.error.code], [400, "VALIDATION_ERROR"], message);
        assert.ok(
          answer.json.error.details.some((one: { field: string }) => one.field === field),
          message,
        );
      }
    }
  });

  check(`${method} names every wrong field at once, unknown ones included`, async () => {
    const body = await valid();
    const wrong = Object.entries(properties).map(
      ([name, schema]) => [name, allWrong(schema, name, body[name])] as const,
    );
    const answer = await send({
      body: {
        ...Object.fromEntries(wrong.map(([name, { value }]) => [name, value])),
        nonsense: 1,
        constructor: 2,
        toString: 3,
      },
    });
    const expected = [...wrong.flatMap(([, { fields }]) => fields), "nonsense", "constructor", "toString"];
    assert.deepEqual(refused(answer, 400, "VALIDATION_ERROR").toSorted(), expected.toSorted());
  });

  check(`${method} refuses what the service owns and what nobody sees`, async () => {
    const { spec, columns } = bench.subject.resource;
    const names = [
      ...Object.keys(bench.shown),
      ...Object.keys(columns),
      ...Object.keys(spec.private ?? {}),
      "deletedAt",
      "isAdmin",
    ];
    const owned = [...new Set(names)].filter(
      (name) => !(name in properties) && (name !== "version" || method === "POST"),
    );
    const body = await valid();
    // What restores a deleted row is for those who may, and is checked there.
    const restoring = method === "PATCH" && restorersOf(bench.subject.resource) !== undefined ? ["deletedAt"] : [];
    for (const name of owned.filter((one) => !restoring.includes(one)))
      assert.deepEqual(refused(await send({ body: { ...body, [name]: null } }), 400), [name]);
  });

  if (method !== "PATCH") {
    check(`${method}: null is not absence where it is no value`, async () => {
      const body = await valid();
      for (const [name, schema] of Object.entries(properties)) {
        if (isNullable(schema)) continue;
        assert.deepEqual(refused(await send({ body: { ...body, [name]: null } }), 400, "VALIDATION_ERROR"), [name]);
      }
    });

    check(`${method} names every missing property`, async () => {
      const required = Object.entries(properties).flatMap(([name, schema]) => ("default" in schema ? [] : [name]));
      if (required.length > 0)
        assert.deepEqual(refused(await send({ body: {} }), 400, "VALIDATION_ERROR").toSorted(), required.toSorted());
    });
  }
}
