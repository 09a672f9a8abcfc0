import { doesNotThrow, throws } from "node:assert/strict";
import { test } from "node:test";
import { anyone, id, money, nullable, object, openApi, post, resource, service, text } from "../../contract/index.ts";
import type { TestAnswer } from "../client.ts";
import { documentedBy } from "./documented.ts";

const note = resource("note", {
  path: "/notes",
  id: "not",
  properties: { text: text({ min: 1, max: 20 }), price: nullable(money()) },
  access: { get: anyone, list: anyone, remove: anyone },
});
const notes = service("notes", {
  database: "notes",
  summary: "Notes",
  versions: [{ number: 1, deprecatedAt: "2026-01-01T00:00:00Z", sunsetAt: "2027-01-01T00:00:00Z" }, { number: 2 }],
  resources: [note],
  operations: {
    mine: post("/notes/mine", {
      summary: "Mine",
      body: object({ text: text({ max: 20 }) }),
      returns: object({ id: id("not") }),
      access: anyone,
    }),
  },
});
const documented = documentedBy(openApi([notes], { title: "Notes", version: "1" }));

const path = "/v2/notes/not_01h455vb4pex5vsknk084sn02q";
const row = {
  id: "not_01h455vb4pex5vsknk084sn02q",
  text: "Hello",
  price: null,
  version: 1,
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};
const refusal = (code: string) => ({ error: { code, message: "No", details: [] } });

function answer(status: number, json: unknown, headers: Record<string, string> = {}): TestAnswer {
  const text = json === undefined ? "" : JSON.stringify(json);
  const type: Record<string, string> = json === undefined ? {} : { "content-type": "application/json" };
  return { status, json, text, headers: new Headers({ "api-version": "2", "x-request-id": "a", ...type, ...headers }) };
}

const passes = (method: string, at: string, given: TestAnswer) =>
  doesNotThrow(() => documented.check(method, at, given), `${method} ${at}`);
const fails = (method: string, at: string, given: TestAnswer, why: RegExp) =>
  throws(() => documented.check(method, at, given), why, `${method} ${at}`);

test("an answer that is as the document says passes, however its version was asked for", () => {
  passes("GET", path, answer(200, row));
  passes("GET", path.slice("/v2".length), answer(200, row));
  passes("GET", `/api${path}?fields=text`, answer(200, { text: "Hello" }));
  passes("HEAD", path, answer(200, undefined));
  passes("GET", path, answer(304, undefined, { etag: '"1"' }));
  passes("DELETE", path, answer(204, undefined));
  passes("GET", path, answer(404, refusal("NOT_FOUND")));
  passes("GET", "/v1/notes?page=2", answer(410, refusal("GONE"), { "api-version": "1" }));
});

test("a status, a code or a media type that the document does not have is named", () => {
  fails("GET", path, answer(201, row), /the document has no 201 here/);
  fails("GET", path, answer(409, refusal("DUPLICATE")), /the document has no 409 here/);
  fails("GET", path, answer(404, refusal("DUPLICATE")), /not as the document says/);
  fails("GET", path, answer(200, row, { "content-type": "text/html" }), /does not know text\/html here/);
  const early = answer(431, refusal("HEADERS_TOO_LARGE"));
  early.headers.delete("api-version");
  passes("GET", path, early);
});

test("a header that the document does not have here, or of another form, is named", () => {
  fails("GET", path, answer(200, row, { "x-powered-by": "us" }), /does not know the header x-powered-by here/);
  fails("GET", path, answer(200, row, { deprecation: "@1" }), /does not know the header deprecation here/);
  fails("GET", path, answer(200, row, { etag: "1" }), /etag: 1: not as the document says/);
  fails("GET", path, answer(200, row, { "x-ratelimit-limit": "many" }), /x-ratelimit-limit: many/);
  const old = { deprecation: "@1", "api-version": "1" };
  passes("GET", path.replace("v2", "v1"), answer(200, row, old));
});

test("a body that lacks something, has too much or another type is named with its place", () => {
  const { text: _, ...less } = row;
  fails("GET", path, answer(200, less), /must have required property 'text'/);
  fails("GET", path, answer(200, { ...row, secret: 1 }), /"additionalProperty":"secret"/);
  fails("GET", path, answer(200, { ...row, price: "9" }), /"instancePath":"\/price"/);
  fails("GET", path, answer(200, { ...row, createdAt: "yesterday" }), /must match format "date-time"/);
  fails("GET", path, answer(200, undefined), /does not know undefined here/);
  fails("DELETE", path, answer(204, row), /there is no body/);
  fails("HEAD", path, answer(200, row), /HEAD/);
  fails("GET", `${path}?fields=text`, answer(200, { text: "Hello", secret: 1 }), /additionalProperty/);
});

test("a plain address goes before one with a parameter", () => {
  passes("POST", "/v2/notes/mine", answer(201, { id: row.id }));
  fails("POST", "/v2/notes/mine", answer(201, row), /additionalProperty/);
});

test("at an address and for a method that the document does not have, only a refusal in the envelope passes", () => {
  passes("GET", "/v2/nothing", answer(404, refusal("NOT_FOUND")));
  passes("PUT", path, answer(405, refusal("METHOD_NOT_ALLOWED")));
  fails("GET", "/v2/nothing", answer(200, row), /it is not in the document/);
  fails("PUT", path, answer(200, row), /it is not in the document/);
  fails("GET", "/v2/nothing", answer(404, { message: "Not found" }), /not as the document says/);
  fails("OPTIONS", path, answer(200, undefined), /OPTIONS/);
});
