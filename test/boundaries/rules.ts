// Who may import whom, and who may look at the world.
//
// A pure function over file texts, so that a test can plant a violation and see it found. Tests may
// import anything inside the house and use real time; what they may not do is make the kernel know an
// app (the store, an example), or an app reach into the kernel past its exports: then the package would
// not stand alone. An example is what a reader copies, so it has the kernel and itself and nothing else.

import { isBuiltin } from "node:module";
import path from "node:path/posix";
import type { Import } from "./facts.ts";
import {
  appOf,
  floors,
  folderOf,
  inExamples,
  inKernel,
  isService,
  readSources,
  targetOf,
  type Source,
} from "./house.ts";

export interface Finding {
  file: string;
  line: number;
  message: string;
}

/** Where the package's version stands; it lies on no floor. */
const manifest = "kernel/package.json";

/** Time and chance that no argument brought in. */
const ambient =
  /^(Date\.now|(new )?Date\(\)|Temporal\.Now\..+|Math\.random|performance\..+|process\.(hrtime|uptime)(\..+)?|set(Timeout|Interval|Immediate)|scheduler\.wait|AbortSignal\.timeout|crypto\.(random\w+|getRandomValues|pseudoRandomBytes))$/;

const onlyInNode = /^(process|Buffer|require|__dirname|__filename)(\.|$)/;

export function findViolations(files: ReadonlyMap<string, string>): Finding[] {
  const sources = readSources(files);
  const contracts = contractFiles(sources);
  const findings = [...sources.values()].flatMap((source) => [
    ...source.mistakes.map((message) => ({ file: source.file, line: 1, message: `cannot be parsed: ${message}` })),
    ...source.imports.flatMap((each) => toFindings(source, each.line, importMistakes(source, each, contracts))),
    ...source.uses.flatMap((each) => toFindings(source, each.line, useMistakes(source, each.name))),
  ]);
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

function toFindings(source: Source, line: number, messages: (string | undefined)[]): Finding[] {
  return messages.flatMap((message) => (message === undefined ? [] : [{ file: source.file, line, message }]));
}

function importMistakes(source: Source, { specifier }: Import, contracts: ReadonlySet<string>): (string | undefined)[] {
  if (specifier === undefined) return [computedImport(source)];
  const target = targetOf(source.file, specifier);
  if ("package" in target)
    return [
      packageInBase(source, target.package),
      packageInContract(source, target.package, contracts),
      packageInExample(source, target.package),
    ];
  return [
    kernelLeaves(source, target.file),
    kernelFloor(source, target.file),
    kernelDoor(source, target.file),
    appDoorOfKernel(source, specifier, target.file),
    appAlone(source, target.file),
    serviceDoor(source, target.file),
    contractOnly(source, target.file, contracts),
  ];
}

/** The kernel may load what a user or a platform names; a service could only hide what it imports of another. */
function computedImport(source: Source): string | undefined {
  if (source.isTest || appOf(source.file) === undefined) return undefined;
  return "computes what it imports, which hides an edge: name the file";
}

function kernelLeaves(source: Source, target: string): string | undefined {
  if (!inKernel(source.file) || inKernel(target)) return undefined;
  if (source.isTest && appOf(target) === undefined) return undefined;
  return `imports ${target}: the kernel knows nothing outside itself`;
}

function kernelFloor(source: Source, target: string): string | undefined {
  if (!inKernel(source.file)) return undefined;
  const from = floors[path.basename(source.folder)];
  if (from === undefined)
    return `lies in ${source.folder}, which has no floor: give it one in test/boundaries/house.ts`;
  if (source.isTest || !inKernel(target) || folderOf(target) === source.folder || target === manifest) return undefined;
  const to = floors[path.basename(folderOf(target))];
  if (to !== undefined && to < from) return undefined;
  const direction = to === from ? "sideways" : "upward";
  return `imports ${direction}: ${source.folder} (floor ${from}) -> ${folderOf(target)} (floor ${to ?? "unknown"})`;
}

function kernelDoor(source: Source, target: string): string | undefined {
  if (source.isTest || !inKernel(source.file) || !inKernel(target)) return undefined;
  if (folderOf(target) === source.folder || target === `${folderOf(target)}/index.ts` || target === manifest)
    return undefined;
  return `imports ${target} past its door: use ${folderOf(target)}/index.ts`;
}

function appDoorOfKernel(source: Source, specifier: string, target: string): string | undefined {
  if (appOf(source.file) === undefined || !inKernel(target) || /^ashlar\/[a-z]+$/.test(specifier)) return undefined;
  return `imports ${specifier}: an app uses the kernel as ashlar/<folder>`;
}

/** The store does not lean on an example, nor an example on the store, on another one, or on the root. */
function appAlone(source: Source, target: string): string | undefined {
  const app = appOf(source.file);
  if (app === undefined || inKernel(target) || appOf(target) === app) return undefined;
  if (!inExamples(source.file) && !inExamples(target)) return undefined;
  return `imports ${target}: ${app} consists of ${app} and the kernel`;
}

function serviceDoor(source: Source, target: string): string | undefined {
  if (source.isTest || !isService(source.folder) || !isService(folderOf(target))) return undefined;
  if (folderOf(target) === source.folder || target === `${folderOf(target)}/contract.ts`) return undefined;
  return `imports ${target}: a service knows only contract.ts of another`;
}

function contractOnly(source: Source, target: string, contracts: ReadonlySet<string>): string | undefined {
  if (!contracts.has(source.file) || contracts.has(target)) return undefined;
  if (target === "kernel/base/index.ts" || target === "kernel/contract/index.ts") return undefined;
  return `imports ${target}: a contract imports ashlar/base, ashlar/contract and contracts, never an implementation`;
}

function packageInContract(source: Source, name: string, contracts: ReadonlySet<string>): string | undefined {
  if (!contracts.has(source.file)) return undefined;
  return `imports ${name}: a contract imports ashlar/base, ashlar/contract and contracts, never a package`;
}

function packageInExample(source: Source, name: string): string | undefined {
  if (!inExamples(source.file) || (source.isTest && isBuiltin(name))) return undefined;
  return `imports ${name}: an example imports ashlar/<folder> and its own files`;
}

function packageInBase(source: Source, name: string): string | undefined {
  if (source.isTest || source.folder !== "kernel/base" || !isBuiltin(name)) return undefined;
  return `imports ${name}: kernel/base runs in a browser`;
}

function useMistakes(source: Source, name: string): (string | undefined)[] {
  if (source.isTest) return [];
  return [
    name.startsWith("process.env") ? environment(source) : undefined,
    ambient.test(name) ? ambientUse(source, name) : undefined,
    source.folder === "kernel/base" && onlyInNode.test(name)
      ? `uses ${name}: kernel/base runs in a browser`
      : undefined,
  ];
}

function environment(source: Source): string | undefined {
  if (path.basename(source.file) === "config.ts") return undefined;
  if (source.folder === "kernel/cli" || source.folder === "kernel/testing") return undefined;
  return "reads process.env: only config.ts, kernel/cli and kernel/testing do; take the value as an argument";
}

function ambientUse(source: Source, name: string): string | undefined {
  if (source.folder === "kernel/base" || source.folder === "kernel/testing") return undefined;
  return `uses ${name}: take a Clock or a Random of kernel/base as an argument`;
}

/**
 * The files that others learn a service from: every contract of a service, and the files in the root of
 * its app that these import, which therefore have to keep the same rule.
 */
function contractFiles(sources: ReadonlyMap<string, Source>): Set<string> {
  const found = new Set([...sources.values()].filter(isContract).map((source) => source.file));
  for (const file of found) {
    for (const { specifier } of sources.get(file)?.imports ?? []) {
      if (specifier === undefined) continue;
      const target = targetOf(file, specifier);
      if ("file" in target && path.dirname(target.file) === appOf(target.file)) found.add(target.file);
    }
  }
  return found;
}

function isContract(source: Source): boolean {
  return !source.isTest && isService(source.folder) && /^contract[^/]*\.ts$/.test(path.basename(source.file));
}
