// The documents of an app as its contracts say them now: two for every service, beside its contract.

import { dirname, join, relative, sep } from "node:path";
import { asyncApi, openApi } from "../contract/index.ts";
import type { FoundApp } from "./find-app.ts";

export interface Documents {
  /** The folder of the app's package.json; paths are from here, with slashes. */
  readonly root: string;
  readonly services: string;
  readonly all: readonly { path: string; text: string }[];
}

export function documentsOf({ app, file, root }: FoundApp): Documents {
  const { contracts, title, version } = app.definition;
  const services = relative(root, join(dirname(file), "services")).replaceAll(sep, "/");
  const all = contracts.flatMap((contract) => {
    const info = { title: `${title}: ${contract.name}`, version };
    return [
      { path: `${services}/${contract.name}/openapi.json`, text: format(openApi([contract], info)) },
      { path: `${services}/${contract.name}/asyncapi.json`, text: format(asyncApi([contract], info)) },
    ];
  });
  return { root, services, all };
}

function format(content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}
