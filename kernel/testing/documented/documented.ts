// Compares answers with what the served OpenAPI document says of them: status, headers, media type, body.

import { strict as assert } from "node:assert";
import AjvModule, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { TestAnswer } from "../client.ts";
import { findOperation } from "./find-operation.ts";
import { fragment, type Json, type Located, type OpenApi, resolve } from "./openapi.ts";

export interface Documented {
  /** Throws when a client that trusts the document would be surprised by this answer. */
  check(method: string, path: string, answer: TestAnswer): void;
}

/** What every HTTP answer may have, whatever the API. */
const ofHttp = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-security-policy",
  "content-type",
  "date",
  "keep-alive",
  "transfer-encoding",
  "x-content-type-options",
]);

/** `document` is one that `openApi` made. */
export function documentedBy(openApiDocument: Record<string, unknown>): Documented {
  const document = openApiDocument as unknown as OpenApi;
  const ajv = new AjvModule.default({ strict: false, logger: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, "document:");
  const accepts = (pointer: readonly string[]): ValidateFunction =>
    ajv.getSchema(`document:${fragment(pointer)}`) ?? assert.fail(`Nothing is at ${fragment(pointer)}`);

  return {
    check(method, path, answer) {
      const what = `${method} ${path} answered ${answer.status} ${answer.text.slice(0, 500)}`;
      const found = findOperation(document, method, path, answer.headers.get("api-version"));
      if (found.item === undefined) return checkError(404, answer, accepts, what);
      if (method === "OPTIONS") return assert.equal(answer.status, 204, what);
      if (found.operation === undefined) return checkError(405, answer, accepts, what);
      const response = responseTo(document, { value: found.operation, pointer: found.pointer }, answer, what);
      checkHeaders(document, response, answer, accepts, what);
      if (method === "HEAD") return assert.equal(answer.text, "", what);
      checkBody(response, answer, accepts, fieldsOf(path), what);
    },
  };
}

/** An address or a method that is not in the document may only be refused, in the envelope. */
function checkError(
  expected: number,
  answer: TestAnswer,
  accepts: (pointer: readonly string[]) => ValidateFunction,
  what: string,
): void {
  // An unknown version is refused before the rest of the address is looked at, and what is no HTTP before that.
  assert.ok([expected, 400, 401, 406, 414, 429, 431].includes(answer.status), `${what}: it is not in the document`);
  if (answer.text === "") return;
  const problem = answer.headers.get("content-type")?.startsWith("application/problem+json");
  valid(accepts(["components", "schemas", problem ? "Problem" : "Error"]), answer.json, what);
}

/** The answer for everything else, `default`, counts only for the codes that it lists. */
function responseTo(document: OpenApi, operation: Located, answer: TestAnswer, what: string): Located {
  const responses = operation.value.responses as Record<string, Json>;
  const status = String(answer.status);
  const key = status in responses ? status : "default";
  const response = resolve(document, { value: responses[key]!, pointer: [...operation.pointer, "responses", key] });
  if (key === "default") {
    const listed = Object.keys(
      (response.value as { content: Record<string, Json> }).content["application/json"]!.examples!,
    );
    const code = answer.json?.error?.code ?? answer.json?.code;
    assert.ok(listed.includes(code), `${what}: the document has no ${status} here`);
  }
  return response;
}

function checkHeaders(
  document: OpenApi,
  response: Located,
  answer: TestAnswer,
  accepts: (pointer: readonly string[]) => ValidateFunction,
  what: string,
): void {
  const headers = Object.entries((response.value.headers ?? {}) as Record<string, Json>).map(
    ([name, value]) =>
      [name.toLowerCase(), resolve(document, { value, pointer: [...response.pointer, "headers", name] })] as const,
  );
  const known = new Map(headers);
  for (const [name, value] of answer.headers) {
    if (ofHttp.has(name)) continue;
    const header = known.get(name);
    assert.ok(header, `${what}: the document does not know the header ${name} here`);
    const { type } = header.value.schema as Json;
    valid(
      accepts([...header.pointer, "schema"]),
      type === "integer" ? Number(value) : value,
      `${what}: ${name}: ${value}`,
    );
  }
}

function checkBody(
  response: Located,
  answer: TestAnswer,
  accepts: (pointer: readonly string[]) => ValidateFunction,
  fields: readonly string[] | undefined,
  what: string,
): void {
  const content = response.value.content as Record<string, Json> | undefined;
  const type = answer.headers.get("content-type")?.replace(/;.*$/, "").trim();
  if (content === undefined) return assert.equal(answer.text, "", `${what}: the document says that there is no body`);
  assert.ok(type !== undefined && type in content, `${what}: the document does not know ${type} here`);
  if (!/\bjson$/.test(type)) return;
  const validate = accepts([...response.pointer, "content", type, "schema"]);
  valid(validate, answer.json, what, fields !== undefined && answer.status === 200);
}

/** `narrowed`: with `fields`, what was not asked for is missing, which is what the parameter says. */
function valid(validate: ValidateFunction, value: unknown, what: string, narrowed = false): void {
  validate(value);
  const wrong = (validate.errors ?? []).filter(({ keyword }) => !(narrowed && keyword === "required"));
  assert.deepEqual(
    wrong.map(({ instancePath, message, params }) => ({ instancePath, message, params })),
    [],
    `${what}: not as the document says: ${JSON.stringify(wrong)}`,
  );
}

function fieldsOf(path: string): readonly string[] | undefined {
  return new URL(path, "http://document").searchParams.get("fields")?.split(",");
}
