// The shapes of the operations endpoints in the OpenAPI document.

import type { JsonSchema } from "../schema.ts";

const check: JsonSchema = {
  type: "object",
  properties: {
    status: { type: "string", enum: ["up", "down"] },
    latency: { type: "number", format: "double", minimum: 0, maximum: 3_600_000, description: "Milliseconds" },
  },
  required: ["status", "latency"],
  additionalProperties: false,
};
export const healthSchema: JsonSchema = {
  type: "object",
  properties: {
    status: { type: "string", enum: ["healthy", "degraded", "unhealthy"] },
    version: { type: "string", maxLength: 64, pattern: "^[\\x20-\\x7e]*$", description: "Of the application" },
    timestamp: { type: "string", format: "date-time", maxLength: 40 },
    checks: {
      type: "object",
      properties: { database: check, cache: check, queue: check },
      required: ["database", "cache", "queue"],
      additionalProperties: false,
    },
  },
  required: ["status", "version", "timestamp", "checks"],
  additionalProperties: false,
};
export const healthExample = {
  status: "healthy",
  version: "1.2.3",
  timestamp: "2026-01-15T10:30:00.000Z",
  checks: {
    database: { status: "up", latency: 1.4 },
    cache: { status: "up", latency: 0.3 },
    queue: { status: "up", latency: 0.6 },
  },
};
export function statusSchema(statuses: readonly string[]): JsonSchema {
  return {
    type: "object",
    properties: { status: { type: "string", enum: [...statuses] } },
    required: ["status"],
    additionalProperties: false,
  };
}

const base64url = { type: "string", maxLength: 4096, pattern: "^[A-Za-z0-9_-]+$" };
export const keySetSchema: JsonSchema = {
  type: "object",
  properties: {
    keys: {
      type: "array",
      maxItems: 16,
      items: {
        type: "object",
        properties: {
          kty: { type: "string", enum: ["OKP"] },
          crv: { type: "string", enum: ["Ed25519"] },
          x: base64url,
          kid: base64url,
          alg: { type: "string", enum: ["EdDSA"] },
          use: { type: "string", enum: ["sig"] },
        },
        required: ["kty", "crv", "x", "kid"],
        additionalProperties: false,
      },
    },
  },
  required: ["keys"],
  additionalProperties: false,
};
