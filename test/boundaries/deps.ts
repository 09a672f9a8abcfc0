// deps.txt: every edge between folders, and from a folder to a package, one a line.
//
// Generated, and kept in the repository so that a new edge is one line in review. Tests do not
// count: they may import anything. Built-in modules of Node do not either, nor examples, which have no edges
// but those to the kernel.
//
//   node test/boundaries/deps.ts --write

import { writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path/posix";
import { folderOf, inExamples, isService, isTest, readSources, targetOf } from "./house.ts";
import { readTree, root } from "./tree.ts";

export const depsFile = `${root}deps.txt`;

export function listEdges(files: ReadonlyMap<string, string>): string[] {
  const products = new Map([...files].filter(([file]) => !isTest(file) && !inExamples(file)));
  const edges = [...readSources(products).values()].flatMap((source) =>
    source.imports.flatMap(({ specifier }) => {
      const to = specifier === undefined ? source.folder : nameOfTarget(source.file, specifier);
      return to === source.folder || to === undefined ? [] : [`${source.folder} -> ${to}`];
    }),
  );
  return [...new Set(edges)].toSorted();
}

function nameOfTarget(file: string, specifier: string): string | undefined {
  const target = targetOf(file, specifier);
  if ("package" in target) return isBuiltin(target.package) ? undefined : `npm:${target.package}`;
  const folder = folderOf(target.file);
  const byContract = isService(folder) && path.basename(target.file) === "contract.ts";
  return byContract && folder !== folderOf(file) ? `${folder} (contract)` : folder;
}

if (import.meta.main && process.argv.includes("--write")) {
  writeFileSync(depsFile, listEdges(readTree()).join("\n") + "\n");
}
