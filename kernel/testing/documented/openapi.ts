// As much of the form of an OpenAPI document as its comparison with answers needs.

export type Json = Record<string, unknown>;
export type PathItem = Record<string, Json>;

export interface OpenApi {
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

export interface Located {
  value: Json;
  /** From the root of the document to here. */
  pointer: readonly string[];
}

/** Follows a `$ref` to another place of the document, or stays. */
export function resolve(document: OpenApi, here: Located): Located {
  const { $ref } = here.value;
  if (typeof $ref !== "string") return here;
  const pointer = $ref
    .replace(/^#\//, "")
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return { value: at(document, pointer), pointer };
}

function at(document: OpenApi, pointer: readonly string[]): Json {
  return pointer.reduce<Json>((value, part) => value[part] as Json, document as unknown as Json);
}

export function fragment(pointer: readonly string[]): string {
  return `#/${pointer.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;
}
