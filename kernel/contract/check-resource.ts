// What a resource's declaration must fulfil, each with the sentence that its author reads at start.

import type { ResourceSpec } from "./resource.ts";
import { type Fields, isNullable, isOptional, kindOf, schemaOf, type TSchema } from "./schema.ts";

/** Throws an Error that says what to write instead. */
export function checkSpec(name: string, spec: ResourceSpec<Fields, Fields, Fields>, visible: Fields): void {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name))
    throw new Error(
      `"${name}" cannot be the name of a resource. Write it like creditNote: operations are named after it, such as createCreditNote.`,
    );
  if (!/^(\/[a-z][a-z0-9-]*|\/\{\w+\})*\/[a-z][a-z0-9-]*$/.test(spec.path))
    throw new Error(
      `The path of ${name}, "${spec.path}", is not a collection. Write it like /orders or /users/{userId}/orders.`,
    );
  if (!/^[a-z]{1,20}$/.test(spec.id))
    throw new Error(`"${spec.id}" cannot be the id prefix of ${name}. Use lower-case letters, such as prd.`);
  for (const [, parameter] of spec.path.matchAll(/\{(\w+)\}/g)) {
    if (visible[parameter!] === undefined)
      throw new Error(
        `The path of ${name} has {${parameter}}, which is not a property. Add it to readOnly, as the id of the row above.`,
      );
  }
  const reserved = new Set(["id", "version", "createdAt", "updatedAt", "deletedAt"]);
  const { properties, readOnly, createOnly, shownOnce } = spec;
  const clash = Object.keys({ ...properties, ...readOnly, ...createOnly, ...shownOnce, ...spec.private }).find(
    (property) => reserved.has(property),
  );
  if (clash !== undefined)
    throw new Error(`Resource ${name} declares "${clash}", which every resource has. Choose another name.`);
  if (shownOnce !== undefined && spec.access.bulk !== undefined)
    throw new Error(
      `Resource ${name} shows something once, which a bulk create cannot. Leave "bulk" out of its access.`,
    );
  const owned = Object.values(spec.access).some((access) => access?.includes("owner"));
  if (owned && spec.owner === undefined)
    throw new Error(
      `Resource ${name} grants something to its owner. Say in "owner" which property holds the user's id.`,
    );
  const restorers = typeof spec.softDelete === "object" ? spec.softDelete.restorableBy : [];
  if (restorers.some((grant) => typeof grant !== "object" || !("role" in grant)))
    throw new Error(
      `Who may restore a ${name} is a matter of roles. Write softDelete: { restorableBy: role("admin") }.`,
    );
  if (spec.owner !== undefined && schemaOf(visible[spec.owner] ?? {})["x-id-prefix"] !== "usr")
    throw new Error(
      `The owner of ${name}, "${spec.owner}", is not a property that holds the id of a user. Add ${spec.owner}: id("usr") to readOnly; a create fills it with the caller's.`,
    );
  for (const [property, schema] of Object.entries({ ...visible, ...spec.private })) {
    if (isOptional(schema))
      throw new Error(`Property ${property} of ${name} is optional(). In a resource use nullable() or a default.`);
  }
  checkNamed(name, spec, visible);
}

const uses = {
  filterable: {
    suits: (schema: TSchema) => kindOf(schema) !== "json",
    because: "an object has no single value to compare with",
  },
  sortable: {
    suits: (schema: TSchema) => !isNullable(schema) && !["json", "array"].includes(kindOf(schema)),
    because: "a sort key is a single value that is never null",
  },
  searchable: { suits: (schema: TSchema) => kindOf(schema) === "text", because: "q looks into text" },
  unique: { suits: () => true, because: "" },
} as const;

/** The properties that options name must exist, and be what the option can do something with. */
function checkNamed(name: string, spec: ResourceSpec<Fields, Fields, Fields>, visible: Fields): void {
  for (const [option, { suits, because }] of Object.entries(uses)) {
    for (const property of (spec[option as keyof typeof uses] ?? []).flat()) {
      const schema = visible[property];
      if (schema === undefined)
        throw new Error(
          `"${option}" of resource ${name} names "${property}", and it has no such property. It has ${Object.keys(visible).join(", ")}.`,
        );
      if (!suits(schema)) throw new Error(`"${option}" of resource ${name} cannot have "${property}": ${because}.`);
    }
  }
}
