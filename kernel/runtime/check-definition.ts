// What the services of a system owe each other, looked at before anything is started.

import type { Logger } from "../base/index.ts";
import { errorCatalogue, type ServiceContract } from "../contract/index.ts";

/**
 * Throws when two services have one name, own one database or give one error code two statuses. A subscription that no service here can
 * serve is a warning only: a test may start some of the services of a system.
 */
export function checkDefinition(contracts: readonly ServiceContract[], log: Logger): void {
  for (const [index, contract] of contracts.entries()) {
    const earlier = contracts.slice(0, index);
    if (earlier.some(({ name }) => name === contract.name))
      throw new Error(`Two services are called ${contract.name}. Give each a name of its own.`);
    const owner = earlier.find(({ database }) => database === contract.database);
    if (owner !== undefined)
      throw new Error(
        `Services ${owner.name} and ${contract.name} both own the database "${contract.database}". Give each its own: others reach it by operation or event.`,
      );
  }
  errorCatalogue(contracts);
  const emitted = new Set(contracts.flatMap(({ events }) => events.map(({ type }) => type)));
  for (const { name, subscribes } of contracts) {
    const never = subscribes.filter((type) => !emitted.has(type));
    if (never.length > 0)
      log.warn(
        { service: name, types: never },
        "A service subscribes to events that no service of this system declares",
      );
  }
}
