// Refusals in the OpenAPI document: the envelope and RFC 9457, narrowed to the codes that are possible.

import { type ErrorCode, errors } from "../errors.ts";
import { type Components, headersOf, type Reference } from "./components.ts";
import { commonHeaders, refusalHeaders } from "./headers.ts";
import { pascalCase } from "./schema.ts";
import type { ApiVersion } from "../version.ts";

/** A refusal with exactly these codes, which many operations share; a version that will end says so in all of its own. */
export function refusal(
  status: number,
  codes: readonly ErrorCode[],
  components: Components,
  version?: ApiVersion,
): Reference {
  const [first] = codes;
  const name =
    codes.length === 1
      ? pascalCase(first!.code.toLowerCase())
      : `Status${status}${codes.map(({ code }) => pascalCase(code.toLowerCase())).join("Or")}`;
  return components.responses.refer("", [name, `${name}V${version?.number}`], {
    description: codes.map(({ code, meaning }) => (codes.length === 1 ? meaning : `${code}: ${meaning}`)).join(". "),
    headers: headersOf(refusalHeaders(status, version), components),
    content: refusalContent(codes, components),
  });
}

const decidedBeforeRouting: readonly ErrorCode[] = [
  errors.badRequest,
  errors.methodNotAllowed,
  errors.requestTimeout,
  errors.uriTooLong,
  errors.headersTooLarge,
  errors.notImplemented,
];

/** What is refused before it is known which operation is meant: the `default` of every operation. */
export function refusalBeforeRouting(components: Components): Reference {
  return components.responses.refer("", ["RefusedBeforeRouting"], {
    description: `Refused before the operation is known. ${decidedBeforeRouting.map(({ code, status, meaning }) => `${status} ${code}: ${meaning}`).join(". ")}`,
    headers: headersOf([...commonHeaders, "Allow"], components),
    content: {
      "application/json": {
        schema: { $ref: "#/components/schemas/Error" },
        examples: examplesOf(decidedBeforeRouting),
      },
      "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
    },
  });
}

/** Puts the two forms of an error, with the closed list of codes, into the document by name. */
export function nameErrorSchemas({ schemas }: Components, catalogue: readonly ErrorCode[]): void {
  const details = schemas.refer("", ["ErrorDetails"], detailsSchema);
  schemas.refer("", ["Error"], { description: "Why a request was refused", ...envelope(catalogue, details) });
  schemas.refer("", ["Problem"], {
    description: "Why a request was refused, as RFC 9457 writes it",
    ...problem(catalogue, details),
  });
}

/** The envelope and RFC 9457, narrowed to the codes that are possible here. */
function refusalContent(codes: readonly ErrorCode[], { schemas }: Components): object {
  const details = schemas.refer("", ["ErrorDetails"], detailsSchema);
  return {
    "application/json": { schema: envelope(codes, details), examples: examplesOf(codes) },
    "application/problem+json": { schema: problem(codes, details) },
  };
}

function examplesOf(codes: readonly ErrorCode[]): object {
  return Object.fromEntries(
    codes.map(({ code, meaning }) => [
      code,
      { value: { error: { code, message: meaning, details: detailsOf(code) } } },
    ]),
  );
}

function detailsOf(code: string): object[] {
  return code === errors.validation.code ? [{ field: "items[0].quantity", message: "must be at least 1" }] : [];
}

const sentence = { type: "string", maxLength: 4096, pattern: "^[^\\x00]*$" };
const detailsSchema = {
  type: "array",
  description: "Every wrong field, with the path the client sent",
  maxItems: 100,
  items: {
    type: "object",
    properties: { field: sentence, message: sentence },
    required: ["field", "message"],
    additionalProperties: false,
  },
};

function envelope(codes: readonly ErrorCode[], details: Reference): object {
  const properties = { code: codeSchema(codes), message: sentence, details };
  return {
    type: "object",
    properties: {
      error: { type: "object", properties, required: Object.keys(properties), additionalProperties: false },
    },
    required: ["error"],
    additionalProperties: false,
  };
}

function problem(codes: readonly ErrorCode[], details: Reference): object {
  const properties = {
    type: { ...sentence, format: "uri-reference", description: "Always `about:blank`: `code` says more" },
    title: sentence,
    status: { type: "integer", format: "int32", minimum: 400, maximum: 599 },
    detail: sentence,
    code: codeSchema(codes),
    errors: details,
  };
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

function codeSchema(codes: readonly ErrorCode[]): object {
  return { type: "string", enum: codes.map(({ code }) => code) };
}
