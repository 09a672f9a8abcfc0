// Whether the settings have what the contracts count on, looked at before anything is started.

import type { ServiceContract } from "../contract/index.ts";
import type { Policy } from "../limit/index.ts";

type Limits = Readonly<Record<string, Policy | "off">>;

/** Where an operation of the class `default` is counted, by who asks: a user, nobody, a machine. */
const defaultClasses = ["default", "anonymous", "machine"];

/** The rate classes that the operations of these contracts name, and those the platform adds. */
export function rateClasses(contracts: readonly ServiceContract[]): string[] {
  return [...new Set([...defaultClasses, ...operationsOf(contracts).map(({ limit }) => limit.class)])];
}

/** Throws when a class has no limit, or when an operation costs more than its bucket ever holds: it would never pass. */
export function checkLimits(contracts: readonly ServiceContract[], limits: Limits): void {
  for (const name of rateClasses(contracts)) {
    if (limits[name] === undefined)
      throw new Error(`A contract names the rate class "${name}", which has no limit. Add it to the settings.`);
  }
  for (const { service, name, limit } of operationsOf(contracts)) {
    for (const className of limit.class === "default" ? defaultClasses : [limit.class]) {
      const policy = limits[className]!;
      const { cost = 1 } = limit;
      if (policy === "off" || cost <= policy.maxRequests) continue;
      throw new Error(
        `Operation ${service}.${name} costs ${cost}, and the limit "${className}" lets ${policy.maxRequests} through at once: it would never pass. Raise the limit, or lower the cost.`,
      );
    }
  }
}

function operationsOf(contracts: readonly ServiceContract[]) {
  return contracts.flatMap(({ allOperations }) => Object.values(allOperations));
}
