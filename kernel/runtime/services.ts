// The services of a process, connected with each other and with those elsewhere.

import { createEntries, createRedisStore } from "../cache/index.ts";
import { type CallTarget, createCalls, type Dependencies } from "../call/index.ts";
import type { Database } from "../data/index.ts";
import type { Bus } from "../events/index.ts";
import { createSmtpMailer } from "../mail/index.ts";
import type { Redis } from "../redis/index.ts";
import { createService, type Implementation, type RunningService } from "../service/index.ts";
import type { SystemOptions } from "./definition.ts";
import type { Peers } from "./peers.ts";

/** What the cached answers of all services may take of a process's memory, roughly. */
const cachedBytesMax = 64 * 1024 * 1024;

export interface Surroundings {
  databases: ReadonlyMap<string, Database>;
  peers: Peers;
  dependencies: Dependencies;
  bus: Bus;
  redis: Redis | undefined;
  cursorSecret: Uint8Array;
}

export function createServices(
  options: SystemOptions,
  implementations: readonly Implementation[],
  { databases, peers, dependencies, bus, redis, cursorSecret }: Surroundings,
) {
  const services = new Map<string, RunningService>();
  const cached = {
    entries: createEntries(options.clock, cachedBytesMax),
    shared: redis && createRedisStore({ redis, app: options.definition.name, random: options.random }),
  };
  const { smtp } = options.settings;
  const mailer = smtp && createSmtpMailer(smtp);
  const { faults = {} } = options;
  const targets = new Map<string, CallTarget>();
  const targetOf = (name: string) => {
    const target = services.get(name)?.target ?? peers.targetOf(name);
    if (target === undefined || faults.target === undefined) return target;
    return targets.get(name) ?? targets.set(name, faults.target(name, target)).get(name);
  };
  const reliable = createCalls({ clock: options.clock, dependencies, targetOf, log: options.log });
  const calls = faults.calls?.(reliable, targetOf) ?? reliable;
  const subscribersOf = (type: string) =>
    options.definition.contracts.filter(({ subscribes }) => subscribes.includes(type)).map(({ name }) => name);
  for (const implementation of implementations) {
    const { name, database } = implementation.contract;
    services.set(
      name,
      createService({
        ...options,
        implementation,
        database: databases.get(database)!,
        calls,
        bus,
        subscribersOf,
        mailer,
        cached,
        checkChanges: options.settings.checkAnswers,
        cursorSecret,
        purgeDeletedAfterMs: options.settings.purgeDeletedAfterMs,
      }),
    );
  }
  return { services, calls };
}
