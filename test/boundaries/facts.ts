// What one source file imports, and which globals it uses.
//
// A parser reads the file, not a pattern: comments, strings and types cannot raise an alarm, and
// a renamed import, a destructured global or `globalThis.` cannot avoid one. Names are reduced to
// the path a reader would write: `const { env } = process` and `import { env } from "node:process"`
// both use "process.env". Scopes are not followed: a name that is local anywhere in a file counts
// as local in the whole file, unless it stands for a global somewhere.

import { parseSync } from "oxc-parser";
import { isValue, keyOf, nameOf, nodesIn, textOf, walk, wrappers, type Node } from "./syntax.ts";

export interface Import {
  /** Undefined when the specifier is computed while the program runs. */
  specifier: string | undefined;
  line: number;
}

export interface Use {
  /** `process.env.PORT`, `Date.now`, `setTimeout`; with `()` or `new` and `()` for a call without arguments. */
  name: string;
  line: number;
}

export interface Facts {
  imports: Import[];
  uses: Use[];
  /** What the parser refused. */
  mistakes: string[];
}

/** The global path each local name stands for; undefined for a name that is nothing but local. */
type Names = Map<string, string | undefined>;

/** Modules whose exports are the same thing as a global, and the path of that global. */
const modulesOfGlobals = new Map([
  ["process", "process"],
  ["crypto", "crypto"],
  ["perf_hooks", ""],
  ["timers", ""],
  ["timers/promises", ""],
]);

export function readFacts(path: string, source: string): Facts {
  const { program, errors } = parseSync(path, source, { preserveParens: false });
  const root = program as unknown as Node;
  const lineOf = (node: Node) => source.slice(0, node.start).split("\n").length;
  const facts: Facts = { imports: [], uses: [], mistakes: errors.map((error) => error.message) };
  const names: Names = new Map();
  walk(root, (node) => {
    declare(names, node);
    const from = sourceOf(node);
    if (from !== undefined) facts.imports.push({ specifier: textOf(from), line: lineOf(node) });
    return true;
  });
  walk(root, (node) => {
    for (const name of usesOf(names, node)) facts.uses.push({ name, line: lineOf(node) });
    return isValue(node) && pathOf(names, node) === undefined;
  });
  return facts;
}

/** Where a declaration, an expression or a type imports from. */
function sourceOf(node: Node): Node | undefined {
  if (/^(Import|ExportAll|ExportNamed)Declaration$|^(ImportExpression|TSImportType)$/.test(node.type)) {
    return nodesIn(node["source"])[0];
  }
  if (node.type !== "CallExpression") return undefined;
  const callee = node["callee"] as Node;
  const resolves = callee.type === "MemberExpression" && nameOf(callee, "property") === "resolve";
  const loader = resolves ? (callee["object"] as Node) : callee;
  const loads =
    loader.type === "MetaProperty" ? resolves : /require$/i.test(keyOf(loader)) && keyOf(loader) !== "createRequire";
  return loads ? nodesIn(node["arguments"])[0] : undefined;
}

function declare(names: Names, node: Node): void {
  if (node.type === "ImportDeclaration") declareImports(names, node);
  if (node.type === "VariableDeclarator") bind(names, node["id"], pathOf(names, nodesIn(node["init"])[0]));
  if (node.type === "CatchClause") bind(names, node["param"], undefined);
  if (node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") bind(names, node["id"], undefined);
  if (/Function(Expression|Declaration)$/.test(node.type)) bind(names, node["params"], undefined);
}

function declareImports(names: Names, node: Node): void {
  const global = globalOf(textOf(node["source"] as Node));
  for (const specifier of nodesIn(node["specifiers"])) {
    const imported = nodesIn(specifier["imported"])[0];
    const member = imported === undefined ? "default" : keyOf(imported);
    bind(names, specifier["local"], memberPath(global, member === "default" ? "" : member));
  }
}

/** Notes what the names of a pattern stand for, when its value is the global `path`. */
function bind(names: Names, patterns: unknown, path: string | undefined): void {
  for (const pattern of nodesIn(patterns)) {
    if (pattern.type === "Identifier") names.set(keyOf(pattern), path ?? names.get(keyOf(pattern)));
    if (pattern.type === "AssignmentPattern") bind(names, pattern["left"], path);
    if (pattern.type === "ArrayPattern") bind(names, pattern["elements"], undefined);
    if (pattern.type === "RestElement") bind(names, pattern["argument"], undefined);
    if (pattern.type === "ObjectPattern") bind(names, pattern["properties"], path);
    if (pattern.type === "Property") bind(names, pattern["value"], memberPath(path, nameOf(pattern, "key")));
  }
}

function usesOf(names: Names, node: Node): string[] {
  if (node.type === "CallExpression" || node.type === "NewExpression") {
    const callee = pathOf(names, node["callee"] as Node);
    if (callee === undefined || nodesIn(node["arguments"]).length > 0) return [];
    return [node.type === "NewExpression" ? `new ${callee}()` : `${callee}()`];
  }
  const path = pathOf(names, node);
  return path === undefined ? [] : [path];
}

/** The global path an expression reads, or undefined when it starts from something local. */
function pathOf(names: Names, node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (wrappers.has(node.type) || node.type === "ChainExpression") return pathOf(names, node["expression"] as Node);
  if (node.type === "AwaitExpression") return pathOf(names, node["argument"] as Node);
  if (node.type === "ImportExpression") return globalOf(textOf(node["source"] as Node));
  if (node.type === "MemberExpression")
    return memberPath(pathOf(names, node["object"] as Node), nameOf(node, "property"));
  if (node.type !== "Identifier") return undefined;
  const name = keyOf(node);
  if (name === "globalThis" || name === "global") return "";
  return names.has(name) ? names.get(name) : name;
}

function globalOf(module: string | undefined): string | undefined {
  return module === undefined ? undefined : modulesOfGlobals.get(module.replace(/^node:/, ""));
}

function memberPath(path: string | undefined, member: string | undefined): string | undefined {
  if (path === undefined || member === undefined) return undefined;
  return [path, member].filter((part) => part !== "" && part !== "webcrypto").join(".");
}
