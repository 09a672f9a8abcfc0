// What goes in and out of an operation in the OpenAPI document, as named schemas with examples.

import { type Components, jsonContent, type Reference } from "./components.ts";
import { exampleOf } from "./example.ts";
import type { Success } from "./responses.ts";
import { documented, itemOfPage, partial, pascalCase } from "./schema.ts";
import type { AnyOperation, Named } from "../operation.ts";
import { answered, bulkAnswer, bulkBody, deletedAt } from "../bodies.ts";
import { type Resource, restorersOf } from "../resource.ts";
import { type JsonSchema, schemaOf, type TSchema } from "../schema.ts";
import type { ApiVersion, Shape } from "../version.ts";

/** One operation in one version of the API, and what is needed to document it. */
export interface VersionedOperation {
  operation: Named<AnyOperation>;
  version: ApiVersion;
  shape: Shape | undefined;
  components: Components;
}

const patchTypes = ["application/json", "application/merge-patch+json"];

/** The request body, or undefined when the operation takes none. */
export function bodyOf(part: VersionedOperation): object | undefined {
  const { operation, shape } = part;
  const { action, body, resource } = operation;
  if (body === undefined) return undefined;
  const Name = resource && pascalCase(resource.name);
  if (action === "update") {
    const reference = referTo(part, `${Name}Update`, patchOf(resource!, shape!));
    return requestBody(reference, exampleOf(partial(shape!.replace)), patchTypes);
  }
  if (action === "bulk") {
    const items = referTo(part, `${Name}Create`, shape!.create);
    const schema = withItems(bulkBody(shape!.create), "items", items);
    return requestBody(referTo(part, `${Name}BulkCreate`, schema), exampleOf(bulkBody(shape!.create)));
  }
  const [name, schema] =
    action === "create"
      ? [`${Name}Create`, shape!.create]
      : action === "replace"
        ? [`${Name}Replace`, shape!.replace]
        : [`${pascalCase(operation.name)}Body`, body];
  return requestBody(referTo(part, name, schema), exampleOf(schema));
}

function patchOf(resource: Resource, { replace }: Shape): JsonSchema {
  const patch = partial(replace);
  if (restorersOf(resource) === undefined) return patch;
  return { ...patch, properties: { ...patch.properties, deletedAt: deletedAt.restoring } };
}

/** A list whose items are referred to by their name. */
function withItems(schema: TSchema, property: string, items: Reference): JsonSchema {
  const plain = schemaOf(schema);
  const list: JsonSchema = { ...plain.properties?.[property], items: { ...items } };
  return { ...plain, properties: { ...plain.properties, [property]: list } };
}

function requestBody(schema: Reference, example: unknown, types?: readonly string[]): object {
  return { required: true, content: jsonContent(schema, example, types) };
}

/** What a success shows. */
export function successOf(part: VersionedOperation): Success {
  const { operation, shape } = part;
  const { returns, resource } = operation;
  if (returns === undefined || operation.status === 204) return { schema: undefined, example: undefined };
  const Name = resource ? pascalCase(resource.name) : nameOfResult(operation);
  if (operation.action === "bulk") {
    const { representation, answer } = shape!;
    const created = bulkAnswer(representation);
    const schema = withItems(created, "data", referTo(part, Name, answer));
    return { schema: referTo(part, `${Name}BulkCreated`, schema), example: exampleOf(created) };
  }
  if (operation.action === "create" && resource!.spec.shownOnce !== undefined) {
    const { created } = shape!;
    return { schema: referTo(part, `${Name}Created`, created), example: exampleOf(created) };
  }
  const item = itemOfPage(returns);
  if (item === undefined) {
    const schema = shape?.answer ?? returns;
    return { schema: referTo(part, Name, schema), example: exampleOf(shape?.representation ?? returns) };
  }
  const shown = shape ? answered(shape.answer) : (item as unknown as TSchema);
  const example = exampleOf(shape ? answered(shape.representation) : item);
  return pageOfItems(part, Name, shown, returns, example);
}

function pageOfItems(part: VersionedOperation, name: string, item: TSchema, page: TSchema, example: unknown): Success {
  const { schemas } = part.components;
  const { properties = {}, ...rest } = schemaOf(page);
  const pagination = schemas.refer("", ["Pagination"], documented(properties.pagination!));
  const reference = referTo(part, name, item);
  const schema = { ...rest, properties: { data: { ...properties.data, items: reference }, pagination } };
  const paging = { total: 1, page: 1, limit: 20, hasMore: false, nextCursor: null };
  return {
    schema: schemas.refer(name, namesFor(part, `${name}Page`), schema),
    example: example === undefined ? undefined : { data: [example], pagination: paging },
  };
}

/** `getCart` shows a Cart, `listOrderItems` shows an OrderItem; other operations show a result of their own. */
function nameOfResult({ name }: Named<AnyOperation>): string {
  const listed = /^list([A-Z]\w*)s$/.exec(name)?.[1];
  if (listed !== undefined) return listed;
  return /^get[A-Z]/.test(name) ? name.slice(3) : `${pascalCase(name)}Result`;
}

function referTo(part: VersionedOperation, name: string, schema: TSchema | JsonSchema): Reference {
  return part.components.schemas.refer(familyOf(part, name), namesFor(part, name), documented(schema));
}

/** What is shown of a resource is shared within the resource; what custom operations take and give, by all. */
function familyOf({ operation }: VersionedOperation, name: string): string {
  return operation.resource === undefined || name.endsWith("Body") ? "" : name;
}

function namesFor({ operation, version }: VersionedOperation, name: string): string[] {
  const own = `${name}${suffixOf(version)}`;
  return [own, `${pascalCase(operation.service)}${own}`];
}

/** Version 1 has the plain names. */
export function suffixOf({ number }: ApiVersion): string {
  return number === 1 ? "" : `V${number}`;
}
