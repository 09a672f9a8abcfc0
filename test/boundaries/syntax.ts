// The syntax tree of a source file, as far as these rules look into it: any node, by its type and keys.

import { visitorKeys } from "oxc-parser";

export interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

/** TypeScript around a value. Every other node of TypeScript is a type. */
export const wrappers = new Set([
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSInstantiationExpression",
]);

/** Visits a node, and its children when `visit` answers true. */
export function walk(node: Node, visit: (node: Node) => boolean): void {
  if (!visit(node)) return;
  const keys = (visitorKeys[node.type] ?? []).filter((key) => !isPropertyName(node, key));
  for (const child of keys.flatMap((key) => nodesIn(node[key]))) walk(child, visit);
}

/** A property called like a global is not that global. */
function isPropertyName(node: Node, key: string): boolean {
  return node["computed"] === false && (key === "key" || (key === "property" && node.type === "MemberExpression"));
}

export function isValue(node: Node): boolean {
  const elsewhere =
    node.type === "ImportDeclaration" || (node.type === "ExportNamedDeclaration" && node["source"] !== null);
  return !elsewhere && (!node.type.startsWith("TS") || wrappers.has(node.type));
}

/** The name a property is read or declared by; undefined when it is computed. */
export function nameOf(node: Node, key: string): string | undefined {
  const name = node[key] as Node;
  return node["computed"] === true ? textOf(name) : keyOf(name);
}

export function keyOf(node: Node): string {
  return String(node["name"] ?? node["value"]);
}

/** The text of a string literal or of a template without holes. */
export function textOf(node: Node): string | undefined {
  if (node.type === "Literal") return String(node["value"]);
  if (node.type !== "TemplateLiteral" || nodesIn(node["expressions"]).length > 0) return undefined;
  return (nodesIn(node["quasis"])[0]!["value"] as { cooked: string }).cooked;
}

export function nodesIn(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  return value === null || typeof value !== "object" ? [] : [value as Node];
}
