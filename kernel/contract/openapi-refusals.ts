// Refusals in the OpenAPI document: the envelope and RFC 9457, narrowed to the codes that are possible.

import { type ErrorCode, errors } from "./errors.ts";
import { type Components, headersOf, type Reference } from "./openapi-components.ts";
import { refusalHeaders } from "./openapi-headers.ts";
import { pascalCase } from "./openapi-schema.ts";
import type { JsonSchema } from "./schema.ts";

/** A refusal with exactly these codes, which many operations share. */
export function refusal(status: number, codes: readonly ErrorCode[], components: Components): Reference {
  const [first] = codes;
  const name = codes.length === 1 ? pascalCase(first!.code.toLowerCase()) : `Status${status}${codes.map(({ code }) => pascalCase(code.toLowerCase())).join("Or")}`;
  return components.responses.refer("", [name], {
    description: codes.map(({ code, meaning }) => (codes.length === 1 ? meaning : `${code}: ${meaning}`)).join(". "),
    headers: headersOf(refusalHeaders(status), components),
    content: refusalContent(codes, components),
  });
}

const beforeRouting: readonly ErrorCode[] = [errors.badRequest, errors.methodNotAllowed, errors.requestTimeout, errors.uriTooLong, errors.headersTooLarge, errors.notImplemented];

/** What is refused before it is known which operation is meant: the `default` of every operation. */
export function refusalBeforeRouting(components: Components): Reference {
  return components.responses.refer("", ["RefusedBeforeRouting"], {
    description: `Refused before the operation is known. ${beforeRouting.map(({ code, status, meaning }) => `${status} ${code}: ${meaning}`).join(". ")}`,
    headers: headersOf(["Allow", "Cache-Control", "X-Request-Id"], components),
    content: refusalContent(beforeRouting, components),
  });
}

/** The envelope and RFC 9457, narrowed to the codes that are possible here. */
function refusalContent(codes: readonly ErrorCode[], { schemas }: Components): object {
  const code = { type: "string", enum: codes.map((one) => one.code) };
  const examples = Object.fromEntries(codes.map(({ code, meaning }) => [code, { value: { error: { code, message: meaning, details: detailsOf(code) } } }]));
  const narrowed = (schema: Reference, properties: Record<string, JsonSchema>) => ({ allOf: [schema, { properties }] });
  return {
    "application/json": { schema: narrowed(schemas.refer("", ["Error"], envelope), { error: { properties: { code } } }), examples },
    "application/problem+json": { schema: narrowed(schemas.refer("", ["Problem"], problem), { code }) },
  };
}

function detailsOf(code: string): object[] {
  return code === errors.validation.code ? [{ field: "items[0].quantity", message: "must be at least 1" }] : [];
}

const sentence = { type: "string", maxLength: 4096, pattern: "^[^\\x00]*$" };
const anyCode = { type: "string", maxLength: 64, pattern: "^[A-Z][A-Z0-9_]*$", description: "From the closed list of codes; a code has one status everywhere" };
const details = {
  type: "array",
  description: "Every wrong field, with the path the client sent",
  maxItems: 100,
  items: { type: "object", properties: { field: sentence, message: sentence }, required: ["field", "message"], additionalProperties: false },
};
const envelope = {
  type: "object",
  description: "Why a request was refused",
  properties: {
    error: { type: "object", properties: { code: anyCode, message: sentence, details }, required: ["code", "message", "details"], additionalProperties: false },
  },
  required: ["error"],
  additionalProperties: false,
};
const problem = {
  type: "object",
  description: "Why a request was refused, as RFC 9457 writes it",
  properties: {
    type: { ...sentence, format: "uri-reference", description: "Always `about:blank`: `code` says more" },
    title: sentence,
    status: { type: "integer", format: "int32", minimum: 400, maximum: 599 },
    detail: sentence,
    code: anyCode,
    errors: details,
  },
  required: ["type", "title", "status", "detail", "code", "errors"],
  additionalProperties: false,
};
