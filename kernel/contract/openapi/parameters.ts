// The parameters of an operation in the OpenAPI document: path, query grammar, request headers.

import type { Grant } from "../access.ts";
import type { NamedParts, Reference } from "./components.ts";
import { type Parameter, queryParameters, type Share } from "./query.ts";
import { documented, pascalCase } from "./schema.ts";
import type { AnyOperation } from "../operation.ts";
import type { Fields } from "../schema.ts";
import type { Shape } from "../version.ts";

/** Everything a client may send beside the body. What many operations share is referred to. */
export function parametersOf(
  operation: AnyOperation,
  shape: Shape | undefined,
  parts: NamedParts,
): (Parameter | Reference)[] {
  const share: Share = (parameter, name = parameter.name) => parts.refer("", [pascalCase(name)], parameter);
  return [
    ...pathParameters(operation),
    ...queryParameters(operation, shape, share),
    ...headerParameters(operation, share),
  ];
}

function pathParameters({ params, access }: AnyOperation): Parameter[] {
  const selves = new Set(
    access.map((grant: Grant) => (typeof grant === "object" && "self" in grant ? grant.self : undefined)),
  );
  return Object.entries(params as Fields).map(([name, schema]) => {
    const plain = documented(schema);
    const { description = `The ${name} in the path`, ...rest } = plain;
    if (!selves.has(name)) return { name, in: "path", required: true, description, schema: rest };
    const pattern = `^(?:me|${String(plain.pattern).slice(1, -1)})$`;
    return {
      name,
      in: "path",
      required: true,
      description: `${description}; \`me\` is the caller`,
      schema: { ...rest, minLength: 2, pattern },
    };
  });
}

function headerParameters({ method, action, resource, idempotent, body }: AnyOperation, share: Share): Reference[] {
  const writes = action === "replace" || action === "update" || action === "remove";
  const names: (keyof typeof headers | false)[] = [
    "requestId",
    method === "GET" && "ifNoneMatch",
    writes && (body === undefined && resource?.spec.precondition === "required" ? "ifMatchRequired" : "ifMatch"),
    idempotent && "idempotencyKey",
  ];
  return names.filter((name) => name !== false).map((name) => share(headers[name], name));
}

const entityTags = { type: "string", minLength: 1, maxLength: 1024, pattern: "^[\\x20-\\x7e]+$" };
const ifMatch: Parameter = {
  name: "If-Match",
  in: "header",
  description: "The ETag of the version the change is meant for, or `*`. If another is current: 412",
  schema: entityTags,
};
const headers = {
  requestId: {
    name: "X-Request-Id",
    in: "header",
    description: "A name for the request, echoed and logged. One is made when it is missing or unusual",
    schema: { type: "string", minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9._-]+$" },
  },
  ifNoneMatch: {
    name: "If-None-Match",
    in: "header",
    description: "The ETag of the copy the client has. If it is still good: 304",
    schema: entityTags,
  },
  ifMatch,
  ifMatchRequired: { ...ifMatch, required: true },
  idempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description: "Names the intent, so that a repeated request gets the first one's answer for 24 hours",
    schema: { type: "string", minLength: 1, maxLength: 257, pattern: "^[\\x21-\\x7e]+$" },
  },
} as const satisfies Record<string, Parameter>;
