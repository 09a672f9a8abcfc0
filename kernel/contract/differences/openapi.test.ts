import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { type Access, anyone, either, owner, role, self, signedIn } from "../access.ts";
import { errorCode, errors } from "../errors.ts";
import { openApi } from "../openapi/openapi.ts";
import { get, type Operation, post } from "../operation.ts";
import { resource } from "../resource.ts";
import { type Fields, id, integer, list, money, nullable, object, oneOf, optional, text } from "../schema.ts";
import { service } from "../service.ts";
import type { ApiVersion } from "../version.ts";
import type { Json } from "./difference.ts";
import { openApiDifferences } from "./openapi.ts";

const now = Date.parse("2026-06-15T00:00:00Z");
const taken = errorCode("TAKEN", 409, "Somebody has it");
const admin = role("admin");

type Operations = Record<string, Operation<any, any, any, any>>;

interface Notes {
  properties?: Parameters<typeof resource>[1]["properties"];
  access?: Parameters<typeof resource>[1]["access"];
  spec?: Partial<Parameters<typeof resource>[1]>;
  operations?: Operations;
  versions?: readonly ApiVersion[];
}

const plain = { title: text({ max: 100 }), state: oneOf(["open", "done"], { default: "open" }) };
const open = { list: anyone, get: anyone, create: admin, update: admin, remove: admin };

/** The document of a service with one resource. */
function notes({
  properties = plain,
  access = open,
  spec,
  operations = {},
  versions = [{ number: 1 }],
}: Notes = {}): Json {
  const note = resource("note", { path: "/notes", id: "nte", properties, access, filterable: ["state"], ...spec });
  const contract = service("notes", { database: "notes", summary: "Notes", resources: [note], operations, versions });
  return JSON.parse(JSON.stringify(openApi([contract], { title: "Notes", version: "1.0.0" }))) as Json;
}

const lines = (before: Json, after: Json) =>
  openApiDifferences(before, after, now).map(
    ({ place, breaking, says }) => `${breaking ? "b" : "c"} ${place}: ${says}`,
  );
const verdict = (before: Json, after: Json) => {
  const found = openApiDifferences(before, after, now);
  return found.length === 0 ? "-" : found.some((one) => one.breaking) ? "b" : "c";
};

const searchNotes = (query: object, answer = object({ found: integer({ min: 0, max: 9 }) })) => ({
  searchNotes: get("/search", {
    summary: "Search",
    query: query as Fields,
    returns: answer,
    access: anyone,
  }),
});
const sendNote = (body: object, more: object = {}) => ({
  sendNote: post("/mail", { summary: "Send", body: body as never, access: signedIn, ...more }),
});
const words = { words: text({ max: 50 }) };

test("what a changed contract does to clients", () => {
  const changes: [what: string, before: Notes, after: Notes, verdict: string][] = [
    ["nothing", {}, {}, "-"],
    ["a new version beside the old one", {}, { versions: [{ number: 1 }, { number: 2 }] }, "c"],
    ["a version goes", { versions: [{ number: 1 }, { number: 2 }] }, { versions: [{ number: 2 }] }, "b"],
    ["an operation is new", {}, { operations: searchNotes(words) }, "c"],
    ["an operation goes", { operations: searchNotes(words) }, {}, "b"],
    ["a property is new", {}, { properties: { ...plain, tag: nullable(text({ max: 9 })) } }, "c"],
    ["a property is new, and a create must name it", {}, { properties: { ...plain, tag: text({ max: 9 }) } }, "b"],
    ["a property goes", {}, { properties: { state: plain.state } }, "b"],
    [
      "an answer may have a status more",
      {},
      { properties: { ...plain, state: oneOf(["open", "done", "late"], { default: "open" }) } },
      "b",
    ],
    ["a title may be longer, in answers, too", {}, { properties: { ...plain, title: text({ max: 101 }) } }, "b"],
    ["a default changes", {}, { properties: { ...plain, state: oneOf(["open", "done"], { default: "done" }) } }, "b"],
    ["a list can be sorted by more", {}, { spec: { sortable: ["title"] } }, "c"],
    ["a list can be filtered no more", {}, { spec: { filterable: [] } }, "b"],
    ["a change must name the version it saw", {}, { spec: { precondition: "required" } }, "b"],
    ["a change need not name the version it saw", { spec: { precondition: "required" } }, {}, "c"],
    [
      "a property is for admins",
      {},
      { spec: { access: { ...open, update: anyone }, writableBy: { title: admin } } },
      "b",
    ],
    ["a business error is new, with a status of its own", {}, { spec: { errors: { create: [taken] } } }, "c"],
    ["a business error goes", { spec: { errors: { create: [taken] } } }, {}, "b"],
    [
      "a business error becomes another",
      { spec: { errors: { create: [taken] } } },
      { spec: { errors: { create: [errors.conflict] } } },
      "b",
    ],
    ["a required parameter is new", { operations: searchNotes({}) }, { operations: searchNotes(words) }, "b"],
    [
      "an optional parameter is new",
      { operations: searchNotes(words) },
      { operations: searchNotes({ ...words, max: optional(integer()) }) },
      "c",
    ],
    ["a parameter goes", { operations: searchNotes(words) }, { operations: searchNotes({}) }, "b"],
    [
      "a parameter becomes optional",
      { operations: searchNotes(words) },
      { operations: searchNotes({ words: optional(words.words) }) },
      "c",
    ],
    [
      "a parameter takes less",
      { operations: searchNotes(words) },
      { operations: searchNotes({ words: text({ max: 49 }) }) },
      "b",
    ],
    [
      "a parameter takes more",
      { operations: searchNotes(words) },
      { operations: searchNotes({ words: text({ max: 51 }) }) },
      "c",
    ],
    [
      "a number in an answer may be greater",
      { operations: searchNotes({}) },
      { operations: searchNotes({}, object({ found: integer({ min: 0, max: 10 }) })) },
      "b",
    ],
    [
      "a number in an answer may be smaller only",
      { operations: searchNotes({}) },
      { operations: searchNotes({}, object({ found: integer({ min: 0, max: 8 }) })) },
      "c",
    ],
    [
      "a body has an optional property more",
      { operations: sendNote(object({ to: list(id("usr"), { max: 9 }) })) },
      { operations: sendNote(object({ to: list(id("usr"), { max: 9 }), fee: optional(money()) })) },
      "c",
    ],
    [
      "a body takes fewer items",
      { operations: sendNote(object({ to: list(id("usr"), { max: 9 }) })) },
      { operations: sendNote(object({ to: list(id("usr"), { max: 8 }) })) },
      "b",
    ],
    [
      "a key for repeating goes",
      { operations: sendNote(object({}), { idempotent: true }) },
      { operations: sendNote(object({})) },
      "b",
    ],
    [
      "another success",
      { operations: sendNote(object({}), { returns: object({}), status: 200 }) },
      { operations: sendNote(object({}), { returns: object({}), status: 201, idempotent: false }) },
      "b",
    ],
  ];
  for (const [what, before, after, expected] of changes) equal(verdict(notes(before), notes(after)), expected, what);
});

test("whoever could call an operation must still be able to", () => {
  const granting = (access: Access) =>
    notes({
      operations: {
        readNote: get("/users/{userId}/note", {
          summary: "Read",
          params: { userId: id("usr") },
          returns: object({}),
          access,
        }),
      },
    });
  const changes: [before: Access, after: Access, verdict: string][] = [
    [anyone, signedIn, "b"],
    [signedIn, anyone, "c"],
    [signedIn, admin, "b"],
    [admin, signedIn, "c"],
    [admin, role("editor"), "b"],
    [admin, either(admin, role("editor")), "c"],
    [either(self("userId"), admin), admin, "b"],
  ];
  for (const [before, after, expected] of changes)
    equal(verdict(granting(before), granting(after)), expected, JSON.stringify([before, after]));
  const owned = { spec: { owner: "title" }, properties: { ...plain, title: id("usr") } };
  const before = notes({ ...owned, access: { ...open, get: signedIn } });
  deepEqual(
    lines(before, notes({ ...owned, access: { ...open, get: owner } })).filter((line) => line.startsWith("b")),
    ['b paths["/v1/notes/{id}"].get["x-access"]: signedIn may not any more: its requests are refused'],
  );
});

test("an API key that could call an operation must still be able to", () => {
  const granting = (access: Access, personal: boolean) =>
    notes({ operations: { readNote: get("/mine", { summary: "Read", returns: object({}), access, personal }) } });
  const changes: [before: [Access, boolean], after: [Access, boolean], verdict: string][] = [
    [[signedIn, false], [signedIn, true], "b"],
    [[signedIn, true], [signedIn, false], "c"],
    [[signedIn, false], [anyone, false], "c"],
  ];
  for (const [before, after, expected] of changes)
    equal(verdict(granting(...before), granting(...after)), expected, JSON.stringify([before, after]));
});

test("a deprecated version may go after its sunset, and neither earlier nor unannounced", () => {
  const granting = (first: Partial<ApiVersion>) => notes({ versions: [{ number: 1, ...first }, { number: 2 }] });
  const gone = notes({ versions: [{ number: 2 }] });
  const deprecatedAt = "2026-01-01T00:00:00Z";
  const past = { deprecatedAt, sunsetAt: "2026-06-01T00:00:00Z" };
  const future = { deprecatedAt, sunsetAt: "2026-07-01T00:00:00Z" };
  equal(verdict(granting({}), gone), "b");
  equal(verdict(granting({ deprecatedAt }), gone), "b");
  equal(verdict(granting(future), gone), "b");
  equal(verdict(granting(past), gone), "c");

  equal(verdict(granting({}), granting({ deprecatedAt })), "c");
  equal(verdict(granting({}), granting(future)), "c");
  equal(verdict(granting({}), granting(past)), "b");
  equal(verdict(granting({ deprecatedAt, sunsetAt: "2026-08-01T00:00:00Z" }), granting(future)), "b");
  equal(verdict(granting(future), granting({ deprecatedAt, sunsetAt: "2026-08-01T00:00:00Z" })), "c");
  equal(verdict(granting(future), granting({})), "b", "the headers that announced it go, too");
});

test("after its sunset a version may change as well, and the one beside it may not", () => {
  const versions = [
    { number: 1, deprecatedAt: "2026-01-01T00:00:00Z", sunsetAt: "2026-06-01T00:00:00Z" },
    { number: 2 },
  ];
  const before = notes({ versions, operations: searchNotes(words) });
  const after = notes({ versions, operations: searchNotes({ words: text({ max: 49 }) }) });
  const place = (version: number) => `paths["/v${version}/search"].get.parameters["query words"].schema.maxLength`;
  const says = "maxLength 50 -> 49: requests that were accepted are refused";
  deepEqual(lines(before, after), [`c ${place(1)}: ${says} (after its sunset)`, `b ${place(2)}: ${says}`]);
});

test("an error code that is gone is named with its operation, and once more where all codes are listed", () => {
  const says = "TAKEN is gone: clients that handle it get something else in its place";
  deepEqual(
    lines(notes({ spec: { errors: { create: [taken] } } }), notes()).filter((line) => line.startsWith("b")),
    [`b components.responses.RefusedBeforeRouting: ${says}`, `b paths["/v1/notes"].post.responses[409]: ${says}`],
  );
});

/** A document by hand, for what no contract can say. */
const byHand = (operation: Json, rest: Json = {}): Json => ({ paths: { "/v1/a": { get: operation } }, ...rest });
const answer = (status: string, content?: Json): Json => ({
  responses: { [status]: { description: "", ...(content && { content }) } },
});
const bearer = { type: "http", scheme: "bearer" };

test("what no contract can say today is compared all the same", () => {
  const changes: [what: string, before: Json, after: Json, verdict: string][] = [
    ["a status", byHand(answer("200")), byHand(answer("202")), "b"],
    ["a refusal without codes is new", byHand({ responses: {} }), byHand(answer("418")), "c"],
    ["a refusal without codes goes", byHand(answer("418")), byHand({ responses: {} }), "b"],
    ["304 is new", byHand({ responses: {} }), byHand(answer("304")), "c"],
    ["a media type goes", byHand(answer("200", { "a/b": {}, "a/c": {} })), byHand(answer("200", { "a/b": {} })), "b"],
    ["a media type is new", byHand(answer("200", { "a/b": {} })), byHand(answer("200", { "a/b": {}, "a/c": {} })), "c"],
    ["a body goes", byHand({ requestBody: { content: {} } }), byHand({}), "b"],
    ["a required body is new", byHand({}), byHand({ requestBody: { required: true, content: {} } }), "b"],
    ["an optional body is new", byHand({}), byHand({ requestBody: { content: {} } }), "c"],
    [
      "a body is required",
      byHand({ requestBody: { content: {} } }),
      byHand({ requestBody: { required: true, content: {} } }),
      "b",
    ],
    [
      "a body's media type goes",
      byHand({ requestBody: { content: { "a/b": {} } } }),
      byHand({ requestBody: { content: {} } }),
      "b",
    ],
    ["an id", byHand({ operationId: "a" }), byHand({ operationId: "b" }), "b"],
    ["a summary", byHand({ summary: "a" }), byHand({ summary: "b" }), "c"],
    ["a callback", byHand({}), byHand({ callbacks: {} }), "b"],
    ["parameters of a whole path", byHand({}), { paths: { "/v1/a": { get: {}, parameters: [{}] } } }, "b"],
    ["another server", byHand({}, { servers: [{ url: "/" }] }), byHand({}, { servers: [{ url: "/b" }] }), "b"],
    ["an extension", byHand({ "x-a": 1 }), byHand({ "x-a": 2 }), "b"],
    ["the security of the whole document", byHand({}, { security: [] }), byHand({}, { security: [{ a: [] }] }), "b"],
    [
      "a second way to authenticate",
      byHand({ security: [{ a: [] }] }),
      byHand({ security: [{ a: [] }, { b: [] }] }),
      "c",
    ],
    ["two at once", byHand({ security: [{ a: [] }] }), byHand({ security: [{ a: [], b: [] }] }), "b"],
    ["a scope more", byHand({ security: [{ a: ["r"] }] }), byHand({ security: [{ a: ["r", "w"] }] }), "b"],
    ["a scope less", byHand({ security: [{ a: ["r", "w"] }] }), byHand({ security: [{ a: ["r"] }] }), "c"],
    [
      "a way to authenticate",
      byHand({}, { components: { securitySchemes: { bearer } } }),
      byHand({}, { components: { securitySchemes: { bearer: { ...bearer, scheme: "basic" } } } }),
      "b",
    ],
    ["access written down", byHand({}), byHand({ "x-access": ["anyone"] }), "c"],
    ["access not written down", byHand({ "x-access": ["anyone"] }), byHand({}), "b"],
  ];
  for (const [what, before, after, expected] of changes) equal(verdict(before, after), expected, what);
});

test("the order of things and the names of shared parts mean nothing to a client", () => {
  const schema = { type: "object", properties: { a: { enum: ["x", "y"] }, b: {} }, required: ["a", "b"] };
  const turned = { required: ["b", "a"], properties: { b: {}, a: { enum: ["y", "x"] } }, type: "object" };
  const of = (name: string, part: Json) =>
    byHand(answer("200", { "a/b": { schema: { $ref: `#/components/schemas/${name}` } } }), {
      components: { schemas: { [name]: part } },
    });
  deepEqual(lines(of("One", schema), of("One", turned)), []);
  deepEqual(lines(of("One", schema), of("Two", turned)), [
    "c components.schemas.One: is not a name in the document any more",
  ]);
});

test("a document with a reference out of itself is refused", () => {
  const outside = byHand(answer("200", { "a/b": { schema: { $ref: "other.json#/a" } } }));
  throws(() => lines(outside, outside), /leads out of the document/);
});
