// `ashlar migrate`: brings every database to where the code expects it, and ends. For deployments that
// want this done before the new version starts; a start does the same.

import { createLogger, type Platform } from "../runtime/index.ts";
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
    for (const implementation of found.app.definition.services(nothing)) {
      await migrateService(databases.get(implementation.contract.database)!, implementation, log);
    }
    log.info({ databases: [...databases.keys()] }, "All databases are up to date");
  } finally {
    await close();
  }
}

/** The services are asked for their migrations and never run, so no keys are made for them. */
const nothing = {
  tokens: unusable(),
  passwords: unusable(),
  revocations: unusable(),
  clock: unusable(),
} as unknown as Platform;

function unusable(): object {
  const refuse = () => {
    throw new Error(
      "A service uses the platform while it is made. Let it wait for its first request: `ashlar migrate` makes services and does not run them.",
    );
  };
  return new Proxy({}, { get: () => refuse });
}
