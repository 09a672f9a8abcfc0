// The operations that every resource can have.

import type { Access } from "./access.ts";
import { bulkAnswer, bulkBody, createBody, pageOf, replaceBody } from "./bodies.ts";
import { errors } from "./errors.ts";
import { article } from "./naming.ts";
import type { Action, Operation } from "./operation.ts";
import type { Resource } from "./resource.ts";
import { type Fields, id, kindOf, type TSchema } from "./schema.ts";

/** The standard operations that a resource's `access` asks for, by their names: createUser, listUsers... */
export function standardOperations(resource: Resource): Record<string, Operation> {
  const { spec, name, plural } = resource;
  const item = `${spec.path}/{id}`;
  const Name = name[0]!.toUpperCase() + name.slice(1);
  const Plural =
    plural[0]!.toUpperCase() + plural.slice(1).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const parents = Object.fromEntries(
    [...spec.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => [parameter!, resource.columns[parameter!]!]),
  );
  const ofItem: Fields = { ...parents, id: id(spec.id) };
  const created = resource.events.created ? [resource.events.created] : [];
  const updated = resource.events.updated ? [resource.events.updated] : [];
  const deleted = resource.events.deleted ? [resource.events.deleted] : [];
  const refersTo = Object.entries({ ...spec.properties, ...spec.readOnly }).some(
    ([, schema]) => kindOf(schema as TSchema) === "id",
  );
  const broken = [...(spec.unique ? [errors.duplicate] : []), ...(refersTo ? [errors.unprocessable] : [])];

  const all: Record<Action, () => [string, Partial<Operation>]> = {
    list: () => [
      `list${Plural}`,
      {
        method: "GET",
        path: spec.path,
        params: parents,
        summary: `List ${plural}`,
        returns: pageOf(resource.representation),
      },
    ],
    create: () => [
      `create${Name}`,
      {
        method: "POST",
        path: spec.path,
        params: parents,
        summary: `Create ${article(name)} ${name}`,
        body: createBody(spec),
        status: 201,
        idempotent: true,
        secret: spec.shownOnce !== undefined,
        emits: created,
        errors: broken,
      },
    ],
    bulk: () => [
      `create${Plural}`,
      {
        method: "POST",
        path: `${spec.path}/bulk`,
        params: parents,
        summary: `Create several ${plural} at once: all of them, or none`,
        body: bulkBody(createBody(spec)),
        returns: bulkAnswer(resource.representation),
        status: 201,
        idempotent: true,
        emits: created,
        errors: broken,
      },
    ],
    get: () => [`get${Name}`, { method: "GET", path: item, params: ofItem, summary: `Read ${article(name)} ${name}` }],
    replace: () => [
      `replace${Name}`,
      {
        method: "PUT",
        path: item,
        params: ofItem,
        summary: `Replace ${article(name)} ${name}`,
        body: replaceBody(spec),
        emits: updated,
        errors: broken,
      },
    ],
    update: () => [
      `update${Name}`,
      {
        method: "PATCH",
        path: item,
        params: ofItem,
        summary: `Change ${article(name)} ${name}`,
        body: replaceBody(spec),
        emits: updated,
        errors: broken,
      },
    ],
    remove: () => [
      `delete${Name}`,
      {
        method: "DELETE",
        path: item,
        params: ofItem,
        summary: `Delete ${article(name)} ${name}`,
        status: 204,
        emits: deleted,
      },
    ],
  };

  const operations: Record<string, Operation> = {};
  for (const [action, access] of Object.entries(spec.access) as [Action, Access][]) {
    const [operationName, own] = all[action]();
    const extra = spec.errors?.[action] ?? [];
    operations[operationName] = {
      method: "GET",
      path: spec.path,
      summary: "",
      params: {},
      query: {},
      body: undefined,
      returns: action === "remove" ? undefined : resource.representation,
      status: 200,
      emits: [],
      idempotent: false,
      secret: false,
      personal: spec.personal ?? false,
      unversioned: false,
      ...own,
      errors: [...(own.errors ?? []), ...extra],
      repeatable: action !== "create" && action !== "bulk" && action !== "update",
      limit: spec.limit?.[action] ?? { class: "default" },
      cache: action === "list" || action === "get" ? spec.cache : undefined,
      invalidates: [],
      resource,
      action,
      access,
    };
  }
  return operations;
}

/**
 * A list of a resource at a second address, such as `/users/{userId}/orders`.
 * Path parameters that name a property narrow the list to rows with that value.
 */
export function listUnder<R extends Resource>(resource: R, path: string, access: Access): Operation {
  const base = Object.values(
    standardOperations({ ...resource, spec: { ...resource.spec, access: { list: access } } }),
  )[0]!;
  const params = Object.fromEntries(
    [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => [parameter!, resource.columns[parameter!]!]),
  );
  return { ...base, path, params, summary: `List ${resource.plural} under ${path.split("/")[1]}` };
}
