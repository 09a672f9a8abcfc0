// Requests at random, from the contracts: every operation, for everybody, with bodies that fit and bodies that do not.

import fc from "fast-check";
import { type AnyOperation, type JsonSchema, type Named, schemaOf, shapeOf } from "ashlar/contract";
import { almost, type Body, objectOf } from "../../kernel/service/properties/arbitraries.ts";
import { contracts } from "../../store/services.ts";
import { operations } from "../security/operations.ts";
import type { Step } from "./twin.ts";

const actors = ["ann", "ben", "admin", undefined] as const;
/** Where they stand in the order of ids; the first of each kind are met most. */
const places = fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(40) });

/** Sign-ins and resets are told apart by what they hash and mail, not by how they travel; the flows have them. */
const leftOut = new Set([
  "login",
  "refresh",
  "logout",
  "forgotPassword",
  "resetPassword",
  "verifyEmail",
  "requestVerification",
  "changePassword",
]);

export const steps: fc.Arbitrary<Step> = fc
  .constantFrom(...operations.filter(({ name }) => !leftOut.has(name)))
  .chain((operation) =>
    fc.record(
      {
        actor: fc.constantFrom(...actors),
        method: fc.constant<string>(operation.method),
        path: pathOf(operation),
        body: bodyOf(operation),
        headers: headersOf(operation),
      },
      { requiredKeys: ["actor", "method", "path", "body", "headers"], noNullPrototype: true },
    ),
  )
  .map(({ body, ...step }) => (body === undefined ? step : { ...step, body }));

function pathOf({ path, params, method, query, resource }: Named<AnyOperation>): fc.Arbitrary<string> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const queries = method === "GET" ? listQueries : fc.constant("");
  const changesPeople = method !== "GET" && /^\/users\/\{id\}$|sessions/.test(path);
  return fc
    .tuple(
      fc.constantFrom("/v1", "/v2", "/v2", "", "/api/v1"),
      fc.array(places, { minLength: names.length, maxLength: names.length }),
      queries,
    )
    .map(([version, at, asked]) => {
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
        const prefix = (params as Record<string, { "x-id-prefix"?: string }>)[name]?.["x-id-prefix"] ?? "usr";
        // Who asks must not be ended, or nobody is let in any more.
        const from = changesPeople ? "+3" : "";
        return `{${prefix}:${at[names.indexOf(name)]}${from}}`;
      });
      return `${version}${filled}${resource === undefined && Object.keys(query).length === 0 ? "" : asked}`;
    });
}

const listQueries = fc.constantFrom(
  "",
  "",
  "?limit=3",
  "?page=2&limit=2",
  "?sort=-createdAt",
  "?fields=id",
  "?fields=id,version",
  "?q=a",
  "?nonsense=1",
  "?limit=0",
  "?includeDeleted=true",
  "?cursor=x",
);

function bodyOf(operation: Named<AnyOperation>): fc.Arbitrary<unknown> {
  const schema = schemaFor(operation);
  if (schema === undefined) return fc.constant(undefined);
  const accepted = accepting(schema, operation.action === "update");
  return fc.oneof(
    { weight: 3, arbitrary: accepted },
    { weight: 1, arbitrary: almost(accepted, Object.keys(schema.properties ?? {})).filter(isJson) },
  );
}

/** Bytes would be compared as bytes by the tests of bodies; here they would only be refused. */
function isJson(body: unknown): boolean {
  return !(body instanceof Uint8Array) && typeof body !== "string";
}

function schemaFor({ action, body, resource, service }: Named<AnyOperation>): JsonSchema | undefined {
  if (body === undefined) return undefined;
  if (resource === undefined || action === undefined) return schemaOf(body);
  const { changes } = contracts.find(({ name }) => name === service)!;
  const shape = shapeOf(resource, 2, changes);
  return schemaOf(action === "create" || action === "bulk" ? shape.create : shape.replace);
}

/** Bodies that fit; ids in them are those of things that are there. */
function accepting(schema: JsonSchema, partial: boolean): fc.Arbitrary<Body> {
  return fc
    .tuple(objectOf(withoutIds(schema), partial), fc.array(places, { minLength: 8, maxLength: 8 }))
    .map(([body, at]) => withIds(schema, body, at));
}

function withoutIds(schema: JsonSchema): JsonSchema {
  const properties = Object.entries(schema.properties ?? {}).filter(
    ([, one]) => one["x-id-prefix"] === undefined && one.items?.properties === undefined,
  );
  const kept = new Set(properties.map(([name]) => name));
  return {
    ...schema,
    properties: Object.fromEntries(properties),
    required: (schema.required ?? []).filter((name) => kept.has(name)),
  };
}

/** `{items: [{productId, quantity}]}`, with products that were seen. */
function withIds(schema: JsonSchema, body: Body, at: readonly number[]): Body {
  const lists = Object.entries(schema.properties ?? {}).filter(([, one]) => one.items?.properties !== undefined);
  const made = lists.map(([name, { items }]) => [
    name,
    at
      .slice(0, 1 + (at[0]! % 2))
      .map((place, index) =>
        Object.fromEntries(
          Object.entries(items!.properties!).map(([key, one]) => [
            key,
            one["x-id-prefix"] === undefined ? 1 + (at[index + 2]! % 3) : `{${one["x-id-prefix"]}:${place}}`,
          ]),
        ),
      ),
  ]);
  return { ...body, ...Object.fromEntries(made) };
}

function headersOf({ method, idempotent }: Named<AnyOperation>): fc.Arbitrary<Record<string, string>> {
  const match = fc.constantFrom<Record<string, string>>(
    {},
    { "if-match": "*" },
    { "if-match": "*" },
    { "if-match": '"1"' },
  );
  const key: fc.Arbitrary<Record<string, string>> = fc
    .nat(30)
    .map((n): Record<string, string> => (n < 10 ? { "idempotency-key": `key-${n}` } : {}));
  const conditions: fc.Arbitrary<Record<string, string>> =
    method === "GET" || method === "POST" ? fc.constant({}) : match;
  return fc
    .tuple(
      conditions,
      idempotent ? key : fc.constant({}),
      fc.constantFrom<Record<string, string>>({}, {}, { accept: "application/problem+json" }),
    )
    .map((all) => Object.assign({}, ...all));
}
