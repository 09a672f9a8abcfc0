// The parts of the house: which file belongs to which folder, on which floor, and where an import leads.

import { isBuiltin } from "node:module";
import path from "node:path/posix";
import { readFacts, type Facts } from "./facts.ts";

export const floors: Readonly<Record<string, number>> = {
  cli: 7,
  testing: 7,
  runtime: 6,
  gateway: 5,
  service: 4,
  call: 3,
  events: 3,
  cache: 3,
  auth: 3,
  limit: 3,
  mail: 3,
  http: 2,
  data: 2,
  redis: 2,
  peer: 2,
  contract: 1,
  base: 0,
};

/** A file of the house, and what it says. */
export interface Source extends Facts {
  file: string;
  folder: string;
  isTest: boolean;
}

export function readSources(files: ReadonlyMap<string, string>): Map<string, Source> {
  const sources = [...files].map(([file, text]) => ({
    ...readFacts(file, text),
    file,
    folder: folderOf(file),
    isTest: isTest(file),
  }));
  return new Map(sources.map((source) => [source.file, source]));
}

/** Where an import leads: a file of the house, or the name of a package or built-in module. */
export function targetOf(file: string, specifier: string): { file: string } | { package: string } {
  if (specifier.startsWith(".")) return { file: path.join(path.dirname(file), specifier) };
  const [scope = "", name = "", ...rest] = specifier.split("/");
  if (scope === "ashlar") return { file: path.join("kernel", name, rest.length > 0 ? rest.join("/") : "index.ts") };
  if (scope === "store") return { file: specifier };
  return { package: scope.startsWith("@") ? `${scope}/${name}` : isBuiltin(specifier) ? specifier : scope };
}

/** `kernel/data`, `store/services/orders`, `store`, `examples/notes`: where a rule or an edge of deps.txt begins. */
export function folderOf(file: string): string {
  const parts = path.dirname(file).split("/");
  if (parts[0] === "kernel") return parts.slice(0, 2).join("/");
  const app = appOf(file);
  if (app === undefined) return parts[0]!;
  const length = app.split("/").length;
  return parts[length] === "services" ? parts.slice(0, length + 2).join("/") : app;
}

/** The app that a file belongs to: `store`, `examples/notes`. */
export function appOf(file: string): string | undefined {
  return /^(store|examples\/[^/]+)\//.exec(file)?.[1];
}

/** Tests, and the `fixture.ts` beside them that several test files of a folder start from. */
export function isTest(file: string): boolean {
  return /(\.test\.[jt]sx?|\/fixture\.ts)$/.test(file) || /^(test|bench)\//.test(file);
}

export function inKernel(file: string): boolean {
  return file.startsWith("kernel/");
}

export function inExamples(file: string): boolean {
  return file.startsWith("examples/");
}

export function isService(folder: string): boolean {
  return folder.startsWith(`${appOf(`${folder}/`)}/services/`);
}
