// `ashlar migrate`: brings every database to where the code expects it, and ends. For deployments that
// want this done before the new version starts; a start does the same.

import { createLogger, unusablePlatform } from "../runtime/index.ts";
import { migrateService } from "../service/index.ts";
import { openDatabases } from "./databases.ts";
import { findApp, settingsOf } from "./find-app.ts";

export async function migrate(): Promise<void> {
  const found = await findApp();
  const { system, logLevel } = settingsOf(found);
  const log = createLogger({ level: logLevel, readable: process.stdout.isTTY });
  const { databases, close } = await openDatabases(found, system, {
    create: true,
    log,
    onProgress: (message) => log.info({}, message),
  });
  try {
    for (const implementation of found.app.definition.services(unusablePlatform)) {
      await migrateService(databases.get(implementation.contract.database)!, implementation, log);
    }
    log.info({ databases: [...databases.keys()] }, "All databases are up to date");
  } finally {
    await close();
  }
}
