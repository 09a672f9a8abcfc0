// The OpenAPI 3.1 document of a system, made from its contracts: everything a client can see.
//
// The document is a pure function of the contracts, key order included, so that it can be committed
// and reviewed as a diff. Operations that only services may call are not in it.

import type { Access } from "../access.ts";
import { bodyOf, successOf, suffixOf, type VersionedOperation } from "./bodies.ts";
import { type Components, createComponents } from "./components.ts";
import { describe, guide } from "./description.ts";
import { errorCatalogue } from "./errors.ts";
import { extensionsOf } from "./extensions.ts";
import { parametersOf } from "./parameters.ts";
import { platformPaths, platformTag } from "./platform.ts";
import { nameErrorSchemas } from "./refusals.ts";
import { responsesOf } from "./responses.ts";
import { pascalCase } from "./schema.ts";
import type { AnyOperation } from "../operation.ts";
import type { ServiceContract } from "../service.ts";
import { shapeOf } from "../version.ts";

export interface DocumentInfo {
  title: string;
  version: string;
  description?: string;
  contact?: { name?: string; url?: string; email?: string };
  license?: { name: string; identifier?: string; url?: string };
}

/** Throws when two operations have one address, or an error code has two statuses. */
export function openApi(services: readonly ServiceContract[], info: DocumentInfo): Record<string, unknown> {
  const components = createComponents();
  const catalogue = errorCatalogue(services);
  nameErrorSchemas(components, catalogue);
  const platform = platformPaths(components);
  return {
    openapi: "3.1.0",
    info: { ...info, description: guide(info.description, catalogue) },
    servers: [{ url: "/", description: "This deployment: local, staging or production", "x-internal": false }],
    tags: [
      ...services.map(({ name, summary }) => ({ name, description: summary })),
      { name: platformTag, description: "Health, documents and keys" },
    ],
    security: [{ bearer: [] }],
    paths: { ...pathsOf(services, components), ...platform },
    components: {
      securitySchemes: { bearer },
      schemas: components.schemas.all(),
      parameters: components.parameters.all(),
      headers: components.headers.all(),
      responses: components.responses.all(),
    },
  };
}

const bearer = {
  type: "http",
  scheme: "bearer",
  bearerFormat: "JWT",
  description: "An access token (RFC 9068), checked as RFC8725 says, or an API key: `key_...`",
};

type Paths = Record<string, Record<string, object>>;

function pathsOf(services: readonly ServiceContract[], components: Components): Paths {
  const paths: Paths = {};
  const taken = new Set<string>();
  const add = (part: VersionedOperation, path: string, suffix: string) => {
    const { operation } = part;
    const methods = (paths[path] ??= {});
    const method = operation.method.toLowerCase();
    if (methods[method] !== undefined)
      throw new Error(`Two operations answer ${operation.method} ${path}. Change the path of one.`);
    const own = `${operation.name}${suffix}`;
    const operationId = taken.has(own) ? `${operation.service}${pascalCase(own)}` : own;
    taken.add(operationId);
    methods[method] = documentOperation(part, operationId);
  };
  for (const service of services) {
    for (const operation of Object.values(service.allOperations).filter(isPublic)) {
      for (const version of service.versions) {
        const shape = operation.resource && shapeOf(operation.resource, version.number, service.changes);
        const part: VersionedOperation = { operation, version, shape, components };
        add(part, `/v${version.number}${operation.path}`, suffixOf(version));
        if (operation.unversioned && version === service.versions[0]) add(part, operation.path, "Unversioned");
      }
    }
  }
  return paths;
}

/** Whether anybody but services may call it. */
function isPublic({ access }: AnyOperation): boolean {
  return access.some((grant) => grant !== "service");
}

function documentOperation(part: VersionedOperation, operationId: string): object {
  const { operation, version, shape, components } = part;
  const body = bodyOf(part);
  return {
    operationId,
    tags: [operation.service],
    summary: operation.summary,
    description: describe(operation, version),
    ...(version.deprecatedAt === undefined ? {} : { deprecated: true }),
    security: securityOf(operation.access),
    ...extensionsOf(operation, version),
    parameters: parametersOf(operation, shape, components.parameters),
    ...(body && { requestBody: body }),
    responses: responsesOf(operation, version, successOf(part), components),
  };
}

/** Where anyone may, a token is not needed, but one that is sent must be good. */
function securityOf(access: Access): object[] {
  return access.includes("anyone") ? [{}, { bearer: [] }] : [{ bearer: [] }];
}
