// The databases of the services in a process: configured ones, and the embedded server for the rest.

import { type EmbeddedPostgres, startEmbeddedPostgres } from "../data/index.ts";
import type { Implementation } from "../service/index.ts";
import type { SystemOptions } from "./definition.ts";

/** The URL of every database: as configured, else from the embedded server. */
export async function openDatabases(
  options: SystemOptions,
  implementations: readonly Implementation[],
  undo: (() => Promise<unknown>)[],
) {
  const { settings, onProgress } = options;
  const names = [...new Set(implementations.map(({ contract }) => contract.database))];
  const missing = names.filter((name) => settings.databaseUrls[name] === undefined);
  let embedded: EmbeddedPostgres | undefined;
  if (missing.length > 0) {
    embedded = await startEmbeddedPostgres({
      ...options,
      directory: settings.dataDirectory,
      databases: missing.map((name) => ({ name })),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    const server = embedded;
    undo.push(() => server.stop());
  }
  return {
    embedded,
    urls: Object.fromEntries(names.map((name) => [name, settings.databaseUrls[name] ?? embedded!.urlOf(name)])),
  };
}
