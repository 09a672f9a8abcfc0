// The body of a request, read and validated in the version that the client speaks.

import type { IncomingMessage } from "node:http";
import { type AnyOperation, refuse, type Validate } from "../contract/index.ts";
import { readJson } from "../http/index.ts";
import { type ChangeRequest, decodeChange, type DecodedBody, type Plain } from "./decode-change.ts";
import type { Route, VersionedRoute } from "./routes.ts";

interface BodyRequest extends ChangeRequest {
  message: IncomingMessage;
  maxBytes: number;
}

const jsonTypes = ["application/json"];
const patchTypes = ["application/json", "application/merge-patch+json"];

/**
 * Reads and validates the body. `current` is the row as it was when the request came, against which
 * a merge patch is validated here and applied again under the lock.
 */
export function decodeBody(
  route: Route,
  versioned: VersionedRoute,
  request: BodyRequest,
): DecodedBody | Promise<DecodedBody> {
  const { ifMatch } = request;
  const nothing = { body: undefined, sent: undefined, expected: { ifMatch }, change: changeNothing, restores: false };
  const { validateBody } = versioned;
  return validateBody === undefined ? nothing : readBody(route, versioned, validateBody, request, nothing);
}

const changeNothing = () => ({});

async function readBody(
  { operation }: Route,
  versioned: VersionedRoute,
  validate: Validate,
  request: BodyRequest,
  nothing: DecodedBody,
): Promise<DecodedBody> {
  const sent = await readJson(request.message, {
    mediaTypes: operation.action === "update" ? patchTypes : jsonTypes,
    maxBytes: request.maxBytes,
  });
  if (operation.action !== "update" && operation.action !== "replace") {
    const body = structuredClone(sent);
    refuse(validate(body));
    return { ...nothing, sent, body: inNewestShape(operation, versioned, body) };
  }
  return decodeChange(operation, versioned, sent, request);
}

function inNewestShape({ action }: AnyOperation, { shape }: VersionedRoute, body: unknown): unknown {
  if (action === "create") return shape!.up(body as Plain);
  return action === "bulk" ? { items: (body as { items: Plain[] }).items.map(shape!.up) } : body;
}
