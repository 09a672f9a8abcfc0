// The OpenAPI 3.1 document of a system, made from its contracts: everything a client can see.
//
// The document is a pure function of the contracts, key order included, so that it can be committed
// and reviewed as a diff. Operations that only services may call are not in it.

import type { Access } from "./access.ts";
import { type Components, createComponents, jsonContent, type Reference } from "./openapi-components.ts";
import { describe, guide } from "./openapi-description.ts";
import { errorCatalogue } from "./openapi-errors.ts";
import { exampleOf } from "./openapi-example.ts";
import { parametersOf } from "./openapi-parameters.ts";
import { platformPaths, platformTag } from "./openapi-platform.ts";
import { nameErrorSchemas } from "./openapi-refusals.ts";
import { responsesOf, type Success } from "./openapi-responses.ts";
import { documented, itemOfPage, partial, pascalCase } from "./openapi-schema.ts";
import type { AnyOperation, Named } from "./operation.ts";
import { answered } from "./resource.ts";
import { schemaOf, type TSchema } from "./schema.ts";
import type { ServiceContract } from "./service.ts";
import { type ApiVersion, type Shape, shapeOf } from "./version.ts";

export interface DocumentInfo {
  title: string;
  version: string;
  description?: string;
  contact?: { name?: string; url?: string; email?: string };
  license?: { name: string; identifier?: string; url?: string };
}

/** One operation in one version of the API, and what is needed to document it. */
interface Documented {
  operation: Named<AnyOperation>;
  service: ServiceContract;
  version: ApiVersion;
  shape: Shape | undefined;
  components: Components;
}

/** Throws when two operations have one address, or an error code has two statuses. */
export function openApi(services: readonly ServiceContract[], info: DocumentInfo): Record<string, unknown> {
  const components = createComponents();
  const catalogue = errorCatalogue(services);
  nameErrorSchemas(components, catalogue);
  const paths: Record<string, Record<string, object>> = {};
  const add = (path: string, method: string, item: object) => {
    const operations = (paths[path] ??= {});
    if (operations[method] !== undefined) throw new Error(`Two operations answer ${method.toUpperCase()} ${path}. Change the path of one.`);
    operations[method] = item;
  };
  for (const service of services) {
    for (const operation of Object.values(service.allOperations).filter(isPublic)) {
      const [first] = service.versions;
      for (const version of service.versions) {
        const shape = operation.resource && shapeOf(operation.resource, version.number, service.changes);
        const part: Documented = { operation, service, version, shape, components };
        const item = documentOperation(part, `${operation.name}${suffixOf(version)}`);
        add(`/v${version.number}${operation.path}`, operation.method.toLowerCase(), item);
        if (operation.unversioned && version === first) {
          add(operation.path, operation.method.toLowerCase(), { ...item, operationId: `${operation.name}Unversioned` });
        }
      }
    }
  }
  Object.assign(paths, platformPaths(components));
  return {
    openapi: "3.1.0",
    info: { ...info, description: guide(info.description, catalogue) },
    servers: [{ url: "/", description: "This deployment: local, staging or production", "x-internal": false }],
    tags: [...services.map(({ name, summary }) => ({ name, description: summary })), { name: platformTag, description: "Health, documents and keys" }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "An access token (RFC 9068), checked as RFC8725 says" } },
      schemas: components.schemas.all(),
      parameters: components.parameters.all(),
      headers: components.headers.all(),
      responses: components.responses.all(),
    },
  };
}

/** Whether anybody but services may call it. */
function isPublic({ access }: AnyOperation): boolean {
  return access.some((grant) => grant !== "service");
}

function documentOperation(part: Documented, operationId: string): object {
  const { operation, service, version, shape, components } = part;
  const body = bodyOf(part);
  return {
    operationId,
    tags: [service.name],
    summary: operation.summary,
    description: describe(operation, version),
    ...(version.deprecatedAt === undefined ? {} : { deprecated: true }),
    security: securityOf(operation.access),
    parameters: parametersOf(operation, shape, components.parameters),
    ...(body && { requestBody: body }),
    responses: responsesOf(operation, version, successOf(part), components),
  };
}

/** Where anyone may, a token is not needed, but one that is sent must be good. */
function securityOf(access: Access): object[] {
  return access.includes("anyone") ? [{}, { bearer: [] }] : [{ bearer: [] }];
}

const patchTypes = ["application/json", "application/merge-patch+json"];

function bodyOf(part: Documented): object | undefined {
  const { operation, shape } = part;
  const { action, body, resource } = operation;
  if (body === undefined) return undefined;
  const Name = resource && pascalCase(resource.name);
  if (action === "create") return requestBody(part, shape!.create, `${Name}Create`);
  if (action === "replace") return requestBody(part, shape!.replace, `${Name}Replace`);
  if (action === "update") return requestBody(part, partial(shape!.replace) as unknown as TSchema, `${Name}Update`, patchTypes);
  return requestBody(part, body, `${pascalCase(operation.name)}Body`);
}

function requestBody(part: Documented, schema: TSchema, name: string, types?: readonly string[]): object {
  return { required: true, content: jsonContent(referTo(part, name, schema), exampleOf(schema), types) };
}

function successOf(part: Documented): Success {
  const { operation, shape } = part;
  const { returns, resource } = operation;
  if (returns === undefined || operation.status === 204) return { schema: undefined, example: undefined };
  const Name = resource ? pascalCase(resource.name) : nameOfResult(operation);
  const item = itemOfPage(returns);
  if (item === undefined) {
    const schema = shape?.representation ?? returns;
    return { schema: referTo(part, Name, schema), example: exampleOf(schema) };
  }
  const shown = shape ? answered(shape.representation) : (item as unknown as TSchema);
  return pageOfItems(part, resource ? Name : `${Name}Item`, shown, returns);
}

function pageOfItems(part: Documented, name: string, item: TSchema, page: TSchema): Success {
  const { schemas } = part.components;
  const { properties = {}, ...rest } = schemaOf(page);
  const pagination = schemas.refer("", ["Pagination"], documented(properties.pagination!));
  const reference = referTo(part, name, item);
  const schema = { ...rest, properties: { data: { ...properties.data, items: reference }, pagination } };
  const paging = { total: 1, page: 1, limit: 20, hasMore: false, nextCursor: null };
  const example = exampleOf(item);
  return {
    schema: schemas.refer(name, namesFor(part, `${name}Page`), schema),
    example: example === undefined ? undefined : { data: [example], pagination: paging },
  };
}

/** `getCart` shows a Cart; other operations show a result of their own. */
function nameOfResult({ name }: Named<AnyOperation>): string {
  return /^get[A-Z]/.test(name) ? name.slice(3) : `${pascalCase(name)}Result`;
}

function referTo(part: Documented, name: string, schema: TSchema): Reference {
  return part.components.schemas.refer(familyOf(part, name), namesFor(part, name), documented(schema));
}

/** Schemas of one resource are one where their content is; those of custom operations wherever it is. */
function familyOf({ operation }: Documented, name: string): string {
  return operation.resource === undefined ? "" : name;
}

function namesFor({ service, version }: Documented, name: string): string[] {
  const own = `${name}${suffixOf(version)}`;
  return [own, `${pascalCase(service.name)}${own}`];
}

/** Version 1 has the plain names. */
function suffixOf({ number }: ApiVersion): string {
  return number === 1 ? "" : `V${number}`;
}
