// Which operation of an OpenAPI document a request is: by path, method, and the version that answered.

import type { Json, OpenApi, PathItem } from "./openapi.ts";

export interface Found {
  /** Undefined when the document has no such address. */
  item: PathItem | undefined;
  /** Undefined when the address has no such method, or may be asked with OPTIONS, which needs no words. */
  operation: Json | undefined;
  /** From the root of the document to the operation. */
  pointer: readonly string[];
}

/** Of several templates that fit, the one with the longest plain beginning is meant: `/users/me` before `/users/{id}`. */
export function findOperation(document: OpenApi, method: string, path: string, version: string | null): Found {
  const plain = path.replace(/[?#].*$/s, "").replace(/^\/api(?=\/)/, "");
  const candidates = [plain, `/v${version}${plain}`];
  const templates = Object.keys(document.paths).toSorted((a, b) => b.indexOf("{") - a.indexOf("{"));
  const exact = templates.find((template) => candidates.includes(template));
  const template = exact ?? templates.find((one) => candidates.some((candidate) => fits(one, candidate)));
  const item = template === undefined ? undefined : document.paths[template];
  const verb = method === "HEAD" ? "get" : method.toLowerCase();
  return { item, operation: item?.[verb], pointer: ["paths", template ?? "", verb] };
}

function fits(template: string, path: string): boolean {
  const [wanted, given] = [template.split("/"), path.split("/")];
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => (segment.startsWith("{") ? given[index] !== "" : segment === given[index]))
  );
}
