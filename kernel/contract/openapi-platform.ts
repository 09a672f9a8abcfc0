// The addresses that every Ashlar system has, whatever its contracts: health, documents, keys.

import { type ErrorCode, errors } from "./errors.ts";
import { type Components, headersOf } from "./openapi-components.ts";
import { type HeaderName, rateLimitHeaderNames } from "./openapi-headers.ts";
import { refusal, refusalBeforeRouting } from "./openapi-refusals.ts";
import type { JsonSchema } from "./schema.ts";

export const platformTag = "operations";

interface PlatformPath {
  operationId: string;
  summary: string;
  description: string;
  /** Health answers while everything else is refused. */
  limited: boolean;
  content: Record<string, object>;
  /** The same body with a status of its own. */
  unavailable?: string;
}

/** The path items of the operations endpoints. */
export function platformPaths(components: Components): Record<string, object> {
  return Object.fromEntries(Object.entries(platform(components)).map(([path, item]) => [path, { get: documentPath(item, components) }]));
}

function platform({ schemas }: Components): Record<string, PlatformPath> {
  const health = { "application/json": { schema: schemas.refer("", ["Health"], healthSchema), example: healthExample } };
  const liveness = { "application/json": { schema: schemas.refer("", ["Liveness"], livenessSchema), example: { status: "healthy" } } };
  const document = { "application/json": { schema: schemas.refer("", ["ApiDocument"], { type: "object", description: "An OpenAPI or AsyncAPI document" }) } };
  const keys = { "application/json": { schema: schemas.refer("", ["KeySet"], keySetSchema) } };
  const page = { "text/html": { schema: { type: "string", maxLength: 65_536, pattern: "^<!doctype html>" } } };
  return {
    "/health": { operationId: "getHealth", summary: "Read the health of the system", description: "`degraded` means it serves without a part it can do without.", limited: false, content: health, unavailable: "Unhealthy" },
    "/health/live": { operationId: "getLiveness", summary: "Ask whether the process lives", description: "For a supervisor that restarts what does not answer.", limited: false, content: liveness },
    "/health/ready": { operationId: "getReadiness", summary: "Ask whether requests are served", description: "For a load balancer; a draining process is not ready.", limited: false, content: liveness, unavailable: "Not ready" },
    "/openapi.json": { operationId: "getOpenApi", summary: "Read this document", description: "OpenAPI 3.1, made from the contracts.", limited: true, content: document },
    "/asyncapi.json": { operationId: "getAsyncApi", summary: "Read the document of the events", description: "AsyncAPI 3.0, made from the contracts.", limited: true, content: document },
    "/docs": { operationId: "getDocs", summary: "Read the reference as a page", description: "Works offline: everything it shows comes from this server.", limited: true, content: page },
    "/.well-known/jwks.json": { operationId: "getKeys", summary: "Read the public keys of access tokens", description: "A JWK set (RFC 7517).", limited: true, content: keys },
  };
}

function documentPath({ operationId, summary, description, limited, content, unavailable }: PlatformPath, components: Components): object {
  const names: HeaderName[] = ["X-Request-Id", "Cache-Control", ...(limited ? rateLimitHeaderNames : [])];
  const headers = headersOf(names, components);
  const refused = (code: ErrorCode) => ({ [code.status]: refusal(code.status, [code], components) });
  return {
    operationId,
    tags: [platformTag],
    summary,
    description,
    security: [],
    responses: {
      200: { description: "OK", headers, content },
      ...refused(errors.badRequest),
      ...(limited ? refused(errors.rateLimited) : {}),
      ...refused(errors.internal),
      ...(unavailable === undefined ? {} : { 503: { description: unavailable, headers, content: Object.fromEntries(Object.entries(content).map(([type, { schema }]: [string, { schema?: object }]) => [type, { schema }])) } }),
      default: refusalBeforeRouting(components),
    },
  };
}

const check: JsonSchema = {
  type: "object",
  properties: { status: { type: "string", enum: ["up", "down"] }, latency: { type: "number", format: "double", minimum: 0, maximum: 3_600_000, description: "Milliseconds" } },
  required: ["status"],
  additionalProperties: false,
};
const healthSchema: JsonSchema = {
  type: "object",
  properties: {
    status: { type: "string", enum: ["healthy", "degraded", "unhealthy"] },
    version: { type: "string", maxLength: 64, pattern: "^[\\x20-\\x7e]*$", description: "Of the application" },
    timestamp: { type: "string", format: "date-time", maxLength: 40 },
    checks: { type: "object", properties: { database: check, cache: check, queue: check }, additionalProperties: false },
  },
  required: ["status", "checks"],
  additionalProperties: false,
};
const healthExample = {
  status: "healthy",
  version: "1.2.3",
  timestamp: "2026-01-15T10:30:00.000Z",
  checks: { database: { status: "up", latency: 1.4 }, cache: { status: "up", latency: 0.3 }, queue: { status: "up" } },
};
const livenessSchema: JsonSchema = {
  type: "object",
  properties: { status: { type: "string", enum: ["healthy", "unhealthy"] } },
  required: ["status"],
  additionalProperties: false,
};
const base64url = { type: "string", maxLength: 4096, pattern: "^[A-Za-z0-9_-]+$" };
const keySetSchema: JsonSchema = {
  type: "object",
  properties: {
    keys: {
      type: "array",
      maxItems: 16,
      items: {
        type: "object",
        properties: { kty: { type: "string", enum: ["OKP"] }, crv: { type: "string", enum: ["Ed25519"] }, x: base64url, kid: base64url, alg: { type: "string", enum: ["EdDSA"] }, use: { type: "string", enum: ["sig"] } },
        required: ["kty", "crv", "x", "kid"],
        additionalProperties: false,
      },
    },
  },
  required: ["keys"],
  additionalProperties: false,
};
