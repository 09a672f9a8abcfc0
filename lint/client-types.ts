// The types that openapi-typescript makes of a document, used as a client would and compiled strictly.
//
// A generator that understood nothing makes types that compile. So every operation of the document is asked
// for by name, and for each JSON answer that it says something.

import openapiTypescript, { astToString } from "openapi-typescript";
import { diagnose } from "./diagnose.ts";
import type { Finding, LintedDocument } from "./finding.ts";

export async function compileClientTypes({ name, text }: LintedDocument): Promise<Finding[]> {
  const document = JSON.parse(text) as ApiDocument;
  const types = astToString(await openapiTypescript(document as never));
  const uses = usesOf(document);
  const files = new Map([
    ["/types.ts", types],
    [
      "/uses.ts",
      [...helpers, ...uses.map(({ type }, at) => `export type Use${at} = Holds<Says<${type}>>;`)].join("\n"),
    ],
  ]);
  const found = diagnose(files).map(({ file, line, message }) => ({
    document: name,
    place: file === "/uses.ts" ? (uses[line - 1 - helpers.length]?.place ?? "") : `line ${line} of its types`,
    rule: "openapi-typescript",
    message: file === "/uses.ts" ? `its type is missing or says nothing: ${message}` : message,
  }));
  if (uses.length > 0) return found;
  return [...found, { document: name, place: "paths", rule: "openapi-typescript", message: "there is no operation" }];
}

interface ApiDocument {
  paths: Record<string, Record<string, { responses: Record<string, { content?: object }> }>>;
}

const helpers = [
  `import type { paths } from "./types";`,
  `type Says<T> = [T] extends [never] ? false : unknown extends T ? false : [T] extends [Record<string, never>] ? false : true;`,
  `export type Holds<T extends true> = T;`,
];

/** Every operation and each of its JSON answers, as a type of `paths`. */
function usesOf({ paths }: ApiDocument): { place: string; type: string }[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) => {
      const place = `paths.${path}.${method}.responses`;
      const type = `paths[${JSON.stringify(path)}]["${method}"]["responses"]`;
      const answers = Object.entries(responses).filter(([, { content }]) => content && "application/json" in content);
      return [
        { place, type },
        ...answers.map(([status]) => ({
          place: `${place}.${status}`,
          type: `${type}[${/^\d+$/.test(status) ? status : JSON.stringify(status)}]["content"]["application/json"]`,
        })),
      ];
    }),
  );
}
