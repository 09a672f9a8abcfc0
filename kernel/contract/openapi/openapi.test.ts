import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import AjvModule from "ajv/dist/2020.js";
import addFormatsModule from "ajv-formats";
import { anyone } from "../access.ts";
import { errorCode } from "../errors.ts";
import { openApi } from "./openapi.ts";
import { errorCatalogue, errorsOf } from "./errors.ts";
import { identity, orders } from "./fixture.ts";
import { get } from "../operation.ts";
import { flag, object } from "../schema.ts";
import { service } from "../service.ts";

const info = { title: "Sample", version: "1.0.0" };
const document = openApi([identity, orders], info) as any;
const operations: any[] = Object.values(document.paths).flatMap((path) => Object.values(path as object));

/** Follows references, as deep as asked for. */
const follow = (part: any): any =>
  part.$ref === undefined
    ? part
    : part.$ref
        .slice(2)
        .split("/")
        .reduce((at: any, name: string) => at[name], document);
const parametersOf = (path: string, method: string) =>
  new Map<string, any>(document.paths[path][method].parameters.map(follow).map((one: any) => [one.name, one]));
const codesOf = (path: string, method: string, status: number) =>
  follow(document.paths[path][method].responses[status]).content["application/json"].schema.properties.error.properties
    .code.enum;
const headersOf = (path: string, method: string, status: number) =>
  Object.keys(follow(document.paths[path][method].responses[status]).headers);

function* everyObject(part: unknown): Generator<Record<string, any>> {
  if (typeof part !== "object" || part === null) return;
  yield part as Record<string, any>;
  for (const value of Object.values(part)) yield* everyObject(value);
}

test("the same contracts give the same bytes", () => {
  equal(JSON.stringify(openApi([identity, orders], info)), JSON.stringify(document));
});

test("an operation that only services may call is not in the document", () => {
  ok(!JSON.stringify(document).includes("internal/users"));
});

test("every version has its paths, and an unversioned operation a bare one, under ids of their own", () => {
  deepEqual(
    ["/v1/auth/login", "/v2/auth/login", "/auth/login"].map((path) => document.paths[path].post.operationId),
    ["login", "loginV2", "loginUnversioned"],
  );
  equal("/v2/orders" in document.paths, false);
  const ids = operations.map(({ operationId }) => operationId);
  equal(new Set(ids).size, ids.length);
});

test("every reference leads somewhere and every component is used", () => {
  const references = new Set(
    [...everyObject(document)].map(({ $ref }) => $ref).filter((ref) => typeof ref === "string"),
  );
  for (const $ref of references) ok(follow({ $ref }), $ref);
  for (const section of ["schemas", "parameters", "headers", "responses"]) {
    for (const name of Object.keys(document.components[section]))
      ok(references.has(`#/components/${section}/${name}`), `${section}/${name}`);
  }
});

test("no keyword or format of ours leaks", () => {
  const text = JSON.stringify(document);
  for (const word of ["x-id-prefix", "x-optional", '"money"', '"currency"}', 'format":"currency"', "passwordHash"])
    ok(!text.includes(word), word);
});

test("every schema is closed and bounded", () => {
  for (const part of everyObject(document)) {
    const types = new Set([part.type].flat());
    if (types.has("object") && part.properties) equal(part.additionalProperties, false);
    if (types.has("array") && part.items) ok("maxItems" in part, JSON.stringify(part));
    if (types.has("string")) ok("maxLength" in part || "enum" in part, JSON.stringify(part));
    if (types.has("integer")) ok("minimum" in part && "maximum" in part && "format" in part, JSON.stringify(part));
  }
});

test("every example is accepted by the schema beside it", () => {
  const ajv = new AjvModule.default({ strict: false, allErrors: true });
  addFormatsModule.default(ajv);
  ajv.addSchema({ $id: "document", components: document.components });
  let checked = 0;
  for (const { schema, example, examples } of everyObject({
    paths: document.paths,
    responses: document.components.responses,
  })) {
    if (schema === undefined) continue;
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')));
    for (const value of [
      ...(example === undefined ? [] : [example]),
      ...Object.values(examples ?? {}).map((one: any) => one.value),
    ]) {
      ok(validate(value), JSON.stringify([value, validate.errors]));
      checked++;
    }
  }
  ok(checked > 50);
});

test("an older version shows the older shape, and a shape that did not change keeps one name", () => {
  const names = Object.keys(document.components.schemas);
  deepEqual(
    names.filter((name) => name.startsWith("User")),
    [
      "User",
      "UserBulkCreate",
      "UserBulkCreated",
      "UserBulkCreatedV2",
      "UserCreate",
      "UserPage",
      "UserPageV2",
      "UserReplace",
      "UserReplaceV2",
      "UserUpdate",
      "UserUpdateV2",
      "UserV2",
    ],
  );
  ok("role" in document.components.schemas.User.properties && "roles" in document.components.schemas.UserV2.properties);
  ok(names.includes("Session") && !names.includes("SessionV2"));
});

test("a bulk create takes and gives lists of what one create takes and gives, without Location or ETag", () => {
  const { requestBody, responses } = document.paths["/v1/users/bulk"].post;
  const itemsOf = ({ content }: any, property: string) =>
    follow(content["application/json"].schema).properties[property];
  equal(itemsOf(requestBody, "items").items.$ref, "#/components/schemas/UserCreate");
  equal(itemsOf(responses[201], "data").items.$ref, "#/components/schemas/User");
  ok(!("Location" in responses[201].headers) && !("ETag" in responses[201].headers));
  ok("Location" in document.paths["/v1/users"].post.responses[201].headers);
});

test("deletedAt is in answers for who asks for deleted rows, and in a PATCH that restores one", () => {
  const { User, UserUpdate, UserReplace, Session } = document.components.schemas;
  ok("deletedAt" in User.properties && !User.required.includes("deletedAt"));
  equal(UserUpdate.properties.deletedAt.type, "null");
  ok(!("deletedAt" in UserReplace.properties) && !("deletedAt" in Session.properties));
  for (const method of ["get", "patch"]) ok("403" in document.paths["/v1/users/{id}"][method].responses, method);
});

test("a PATCH takes both media types and requires nothing", () => {
  const { content } = document.paths["/v1/users/{id}"].patch.requestBody;
  deepEqual(Object.keys(content), ["application/json", "application/merge-patch+json"]);
  const schema = follow(content["application/json"].schema);
  equal("required" in schema, false);
  ok(Object.values(schema.properties).every((property: any) => !("default" in property)));
});

test("a list documents its grammar in the names of its version", () => {
  const list = parametersOf("/v1/users", "get");
  deepEqual(
    [...list.keys()],
    [
      "limit",
      "page",
      "cursor",
      "sort",
      "fields",
      "role",
      "createdAfter",
      "createdBefore",
      "q",
      "includeDeleted",
      "X-Request-Id",
      "If-None-Match",
    ],
  );
  deepEqual(list.get("sort").schema.items.enum, [
    "id",
    "-id",
    "email",
    "-email",
    "name",
    "-name",
    "createdAt",
    "-createdAt",
  ]);
  deepEqual([list.get("sort").style, list.get("sort").explode], ["form", false]);
  ok(list.get("fields").schema.items.enum.includes("role"));
  ok(parametersOf("/v2/users", "get").has("roles"));
  deepEqual(
    [...parametersOf("/v1/orders", "get").keys()].filter((name) => /M(in|ax)$/.test(name)),
    ["totalMin", "totalMax", "positionMin", "positionMax"],
  );
});

test("a single read takes fields, and a query that an operation declares is documented as declared", () => {
  deepEqual([...parametersOf("/v1/orders/{id}", "get").keys()], ["id", "fields", "X-Request-Id", "If-None-Match"]);
  const quote = parametersOf("/v1/quotes", "get");
  deepEqual([quote.get("productId").required, quote.get("quantity").required], [true, undefined]);
});

test("a path parameter that may be the caller also takes me", () => {
  const { schema } = parametersOf("/v1/users/{id}", "get").get("id");
  const matches = (text: string) => new RegExp(schema.pattern, "u").test(text);
  deepEqual(
    [
      matches("me"),
      matches("usr_01h455vb4pex5vsknk084sn02q"),
      matches("mee"),
      matches("prd_01h455vb4pex5vsknk084sn02q"),
    ],
    [true, true, false, false],
  );
  ok(!new RegExp(parametersOf("/v1/orders/{id}", "get").get("id").schema.pattern, "u").test("me"));
});

test("preconditions are documented, and required where nothing else can name the version", () => {
  equal(parametersOf("/v1/orders/{id}", "delete").get("If-Match").required, true);
  equal(parametersOf("/v1/orders/{id}", "patch").get("If-Match").required, undefined);
  equal(parametersOf("/v1/users/{id}", "delete").get("If-Match").required, undefined);
  ok(!parametersOf("/v1/users", "post").has("If-Match"));
  deepEqual(codesOf("/v1/orders/{id}", "patch", 428), ["PRECONDITION_REQUIRED"]);
  ok(!("428" in document.paths["/v1/users/{id}"].patch.responses));
});

test("each status names exactly the codes that are possible there", () => {
  deepEqual(codesOf("/v1/orders", "post", 409), ["IDEMPOTENCY_IN_PROGRESS", "INSUFFICIENT_STOCK"]);
  deepEqual(codesOf("/v1/orders", "post", 422), ["IDEMPOTENCY_KEY_REUSED", "UNPROCESSABLE"]);
  deepEqual(codesOf("/v1/users", "get", 400), ["BAD_REQUEST", "INVALID_CURSOR", "INVALID_VERSION", "VALIDATION_ERROR"]);
  deepEqual(Object.keys(document.paths["/v1/orders"].get.responses), [
    "200",
    "304",
    "400",
    "401",
    "403",
    "406",
    "429",
    "500",
    "502",
    "503",
    "504",
    "default",
  ]);
  ok("403" in document.paths["/v1/users"].get.responses && !("404" in document.paths["/v1/users"].get.responses));
  // Nobody's cart but one's own is there, and an API key may lack the scope.
  const cart = document.paths["/v1/users/{id}/cart"].get.responses;
  ok("404" in cart && "403" in cart);
  // Where anyone may, no scope is needed.
  ok(!("403" in document.paths["/v1/users"].post.responses));
});

test("a refusal is documented as the envelope and as problem details", () => {
  deepEqual(Object.keys(follow(document.paths["/v1/orders"].get.responses[400]).content), [
    "application/json",
    "application/problem+json",
  ]);
  deepEqual(
    document.components.schemas.Error.properties.error.properties.code.enum,
    errorCatalogue([identity, orders]).map(({ code }) => code),
  );
});

test("answers name their headers", () => {
  ok(headersOf("/v1/users", "post", 201).includes("Location"));
  ok(headersOf("/v1/users", "post", 201).includes("Idempotent-Replayed"));
  ok(headersOf("/v2/users", "get", 200).includes("Link"));
  ok(headersOf("/v1/users", "get", 401).includes("WWW-Authenticate"));
  for (const status of [429, 503]) ok(headersOf("/v1/users", "get", status).includes("Retry-After"));
  ok(!headersOf("/v1/auth/login", "post", 200).includes("ETag"));
  for (const name of ["ETag", "API-Version", "X-RateLimit-Limit", "X-Request-Id"])
    ok(headersOf("/v1/orders/{id}", "get", 200).includes(name), name);
});

test("a deprecated version says so, and only it", () => {
  deepEqual(
    [document.paths["/v1/users"].get.deprecated, document.paths["/v2/users"].get.deprecated],
    [true, undefined],
  );
  ok(headersOf("/v1/users", "get", 200).includes("Sunset") && !headersOf("/v2/users", "get", 200).includes("Sunset"));
  ok("410" in document.paths["/v1/users"].get.responses && !("410" in document.paths["/v2/users"].get.responses));
});

test("where anyone may, no credentials are asked for; elsewhere a bearer token is", () => {
  deepEqual(document.paths["/v1/users"].post.security, [{}, { bearer: [] }]);
  deepEqual(document.paths["/v1/users"].get.security, [{ bearer: [] }]);
});

test("every operation has an id, a tag that is described, a summary, a description and a 4xx", () => {
  const tags = new Set(document.tags.map(({ name }: any) => name));
  for (const operation of operations) {
    ok(operation.operationId && operation.summary && operation.description);
    ok(operation.tags.every((tag: string) => tags.has(tag)));
    ok(Object.keys(operation.responses).some((status) => status.startsWith("4")));
  }
});

test("two operations at one address are refused", () => {
  const spec = { database: "d", summary: "s", versions: [{ number: 1 }] };
  const one = service("one", {
    ...spec,
    operations: { readIt: get("/it", { summary: "Read it", returns: object({}), access: anyone }) },
  });
  const two = service("two", {
    ...spec,
    operations: { seeIt: get("/it", { summary: "See it", returns: object({}), access: anyone }) },
  });
  throws(() => openApi([one, two], info), /Two operations answer GET \/v1\/it/);
});

test("two things of one name in two services are told apart by their service", () => {
  const of = (name: string, property: string) =>
    service(name, {
      database: "d",
      summary: "s",
      versions: [{ number: 1 }],
      operations: {
        getThing: get(`/${name}`, { summary: "Read", returns: object({ [property]: flag() }), access: anyone }),
      },
    });
  const { components, paths } = openApi([of("one", "a"), of("two", "b")], info) as any;
  deepEqual(Object.keys(components.schemas.Thing.properties), ["a"]);
  deepEqual(Object.keys(components.schemas.TwoThing.properties), ["b"]);
  deepEqual(paths["/v1/two"].get.operationId, "twoGetThing");
});

test("the catalogue lists the codes of the platform and the services once, by status, and refuses two statuses", () => {
  const catalogue = errorCatalogue([identity, orders]);
  ok(catalogue.some(({ code }) => code === "INSUFFICIENT_STOCK"));
  deepEqual(
    catalogue.map(({ status }) => status),
    catalogue.map(({ status }) => status).toSorted((a, b) => a - b),
  );
  const of = (name: string, status: number) =>
    service(name, {
      database: "d",
      summary: "s",
      versions: [{ number: 1 }],
      operations: {
        readIt: get(`/${name}`, {
          summary: "Read",
          returns: object({}),
          access: anyone,
          errors: [errorCode("ODD", status, "Odd")],
        }),
      },
    });
  throws(() => errorCatalogue([of("one", 409), of("two", 422)]), /ODD has two statuses/);
});

test("an operation without a body cannot answer what only a body can cause", () => {
  const statuses = new Set(errorsOf(orders.operations.getCart).map(({ status }) => status));
  for (const status of [409, 412, 413, 415, 422, 428]) ok(!statuses.has(status));
});
