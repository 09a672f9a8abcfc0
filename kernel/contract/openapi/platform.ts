// The addresses that every Ashlar system has, whatever its contracts: health, documents, keys.

import { type ErrorCode, errors } from "../errors.ts";
import { type Components, headersOf } from "./components.ts";
import { healthExample, healthSchema, keySetSchema, statusSchema } from "./platform-schemas.ts";
import { commonHeaders, type HeaderName, rateLimitHeaderNames } from "./headers.ts";
import { refusal, refusalBeforeRouting } from "./refusals.ts";

export const platformTag = "operations";

interface PlatformPath {
  operationId: string;
  summary: string;
  description: string;
  /** Health answers while everything else is refused. */
  limited: boolean;
  mediaType: string;
  content: { schema: object; example?: object };
  /** The same body with a status of its own. */
  unavailable?: string;
}

/** The path items of the operations endpoints. */
export function platformPaths(components: Components): Record<string, object> {
  return Object.fromEntries(
    Object.entries(platform(components)).map(([path, item]) => [path, { get: documentPath(item, components) }]),
  );
}

function platform({ schemas }: Components): Record<string, PlatformPath> {
  const document = {
    schema: schemas.refer("", ["ApiDocument"], {
      type: "object",
      description: "An OpenAPI or AsyncAPI document",
      additionalProperties: true,
    }),
  };
  const liveness = { schema: schemas.refer("", ["Liveness"], statusSchema(["alive"])), example: { status: "alive" } };
  const readiness = {
    schema: schemas.refer("", ["Readiness"], statusSchema(["ready", "unready"])),
    example: { status: "ready" },
  };
  const json = { mediaType: "application/json", limited: true };
  return {
    "/health": {
      ...json,
      operationId: "getHealth",
      summary: "Read the health of the system",
      description: "`degraded` means it serves without a part it can do without.",
      limited: false,
      content: { schema: schemas.refer("", ["Health"], healthSchema), example: healthExample },
      unavailable: "Unhealthy",
    },
    "/health/live": {
      ...json,
      operationId: "getLiveness",
      summary: "Ask whether the process lives",
      description: "For a supervisor that restarts what does not answer.",
      limited: false,
      content: liveness,
    },
    "/health/ready": {
      ...json,
      operationId: "getReadiness",
      summary: "Ask whether requests are served",
      description: "For a load balancer; a draining process is not ready.",
      limited: false,
      content: readiness,
      unavailable: "Not ready",
    },
    "/openapi.json": {
      ...json,
      operationId: "getOpenApi",
      summary: "Read this document",
      description: "OpenAPI 3.1, made from the contracts.",
      content: document,
    },
    "/asyncapi.json": {
      ...json,
      operationId: "getAsyncApi",
      summary: "Read the document of the events",
      description: "AsyncAPI 3.0, made from the contracts.",
      content: document,
    },
    "/docs": {
      ...json,
      mediaType: "text/html",
      operationId: "getDocs",
      summary: "Read the reference as a page",
      description: "Works offline: everything it shows comes from this server.",
      content: { schema: { type: "string", maxLength: 65_536, pattern: "^<!doctype html>" } },
    },
    "/.well-known/jwks.json": {
      ...json,
      operationId: "getKeys",
      summary: "Read the public keys of access tokens",
      description: "A JWK set (RFC 7517).",
      content: { schema: schemas.refer("", ["KeySet"], keySetSchema) },
    },
  };
}

function documentPath(
  { operationId, summary, description, limited, mediaType, content, unavailable }: PlatformPath,
  components: Components,
): object {
  const names: HeaderName[] = [...commonHeaders, ...(limited ? rateLimitHeaderNames : [])];
  const headers = headersOf(names, components);
  const headersOfUnavailable = headersOf([...names, "Retry-After"], components);
  const refused = (code: ErrorCode) => ({ [code.status]: refusal(code.status, [code], components) });
  return {
    operationId,
    tags: [platformTag],
    summary,
    description,
    security: [{}],
    responses: {
      200: { description: "OK", headers, content: { [mediaType]: content } },
      ...refused(errors.badRequest),
      ...(limited ? refused(errors.rateLimited) : {}),
      ...refused(errors.internal),
      ...(unavailable === undefined
        ? {}
        : {
            503: {
              description: unavailable,
              headers: headersOfUnavailable,
              content: { [mediaType]: { schema: content.schema } },
            },
          }),
      default: refusalBeforeRouting(components),
    },
  };
}
