// Which errors an operation may answer: what its declaration implies, and what it names itself.

import { type ErrorCode, errors } from "../errors.ts";
import type { AnyOperation } from "../operation.ts";
import { isPage } from "../bodies.ts";
import { restorersOf } from "../resource.ts";
import type { ServiceContract } from "../service.ts";
import type { ApiVersion } from "../version.ts";

/**
 * Every code that an operation may answer, by status. Not among them is what is decided before it is
 * known which operation is meant: 405, 408, 414, 431 and a request that is not HTTP.
 */
export function errorsOf(operation: AnyOperation, version?: ApiVersion): ErrorCode[] {
  const { body, resource, action, access, idempotent } = operation;
  const writes = action === "replace" || action === "update" || action === "remove";
  const guarded = resource?.spec.writableBy !== undefined && (action === "replace" || action === "update");
  const restorable = resource !== undefined && restorersOf(resource) !== undefined;
  const showsDeleted = restorable && (operation.method === "GET" || action === "update");
  const answersPage = isPage(operation.returns);
  const codes: (ErrorCode | false)[] = [
    errors.badRequest,
    errors.validation,
    errors.invalidVersion,
    body !== undefined && errors.malformedJson,
    answersPage && errors.invalidCursor,
    // Also where anyone may: credentials that are sent must be good.
    errors.unauthenticated,
    // An API key may lack the scope, wherever credentials are needed.
    (!access.includes("anyone") || guarded || showsDeleted) && errors.forbidden,
    (Object.keys(operation.params).length > 0 || hasSelf(access)) && errors.notFound,
    errors.notAcceptable,
    body !== undefined && writes && errors.versionConflict,
    idempotent && errors.inProgress,
    version?.sunsetAt !== undefined && errors.gone,
    writes && errors.preconditionFailed,
    body !== undefined && errors.payloadTooLarge,
    body !== undefined && errors.unsupportedMediaType,
    idempotent && errors.keyReused,
    writes && resource?.spec.precondition === "required" && errors.preconditionRequired,
    errors.rateLimited,
    errors.internal,
    errors.badGateway,
    errors.unavailable,
    errors.deadlineExceeded,
  ];
  const all = [...codes.filter((code) => code !== false), ...operation.errors];
  return distinct(all);
}

function hasSelf(access: AnyOperation["access"]): boolean {
  return access.some((grant) => typeof grant === "object" && "self" in grant);
}

/**
 * The closed list of codes: those of the platform and those the services declare.
 * Throws when two services give one code different statuses.
 */
export function errorCatalogue(services: readonly ServiceContract[]): ErrorCode[] {
  const declared = services.flatMap((service) =>
    Object.values(service.allOperations).flatMap((operation) => operation.errors),
  );
  const all = [...Object.values(errors), ...declared];
  const statuses = new Map(all.map(({ code, status }) => [code, status]));
  const torn = all.find(({ code, status }) => statuses.get(code) !== status);
  if (torn !== undefined) throw new Error(`Error code ${torn.code} has two statuses. Give one of them another name.`);
  return distinct(all);
}

function distinct(codes: readonly ErrorCode[]): ErrorCode[] {
  const first = new Map<string, ErrorCode>();
  for (const code of codes) if (!first.has(code.code)) first.set(code.code, code);
  return [...first.values()].toSorted((a, b) => a.status - b.status || (a.code < b.code ? -1 : 1));
}
