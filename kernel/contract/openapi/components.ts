// The shared parts of the OpenAPI document: what several places say alike is said once, under a name.

import { describeHeader, type HeaderName } from "./headers.ts";

export interface Reference {
  readonly $ref: string;
}

export interface NamedParts {
  /**
   * The reference to a part that several places share. Parts of one family with the same content are
   * one part, under the name it was given first; a name that is taken gets the next of `names`.
   */
  refer(family: string, names: readonly string[], part: object): Reference;
  /** All parts by name, in alphabetical order. */
  all(): Record<string, object>;
}

/** Parts of one section of `components`, such as `schemas`. */
export function createNamedParts(section: string): NamedParts {
  const parts = new Map<string, object>();
  const nameOf = new Map<string, string>();
  return {
    refer(family, names, part) {
      const content = `${family}\n${JSON.stringify(part)}`;
      let name = nameOf.get(content);
      if (name === undefined) {
        name = names.find((candidate) => !parts.has(candidate));
        if (name === undefined)
          throw new Error(
            `Two different parts of the OpenAPI document are named ${names[0]}. Rename an operation or a resource.`,
          );
        nameOf.set(content, name);
        parts.set(name, part);
      }
      return { $ref: `#/components/${section}/${name}` };
    },
    all: () => Object.fromEntries([...parts].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

export type Components = Readonly<Record<"schemas" | "parameters" | "headers" | "responses", NamedParts>>;

export function createComponents(): Components {
  const [schemas, parameters, headers, responses] = (["schemas", "parameters", "headers", "responses"] as const).map(
    createNamedParts,
  );
  return { schemas: schemas!, parameters: parameters!, headers: headers!, responses: responses! };
}

/** The headers of an answer; each is described once in the document. */
export function headersOf(
  names: readonly HeaderName[],
  { headers }: Pick<Components, "headers">,
): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, headers.refer(name, [name], describeHeader(name))]));
}

/** The content of an answer or a body in JSON, with its example where there is one. */
export function jsonContent(
  schema: Reference,
  example: unknown,
  types: readonly string[] = ["application/json"],
): Record<string, object> {
  return Object.fromEntries(types.map((type) => [type, example === undefined ? { schema } : { schema, example }]));
}
