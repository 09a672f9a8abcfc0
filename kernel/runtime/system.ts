// A system: its services, their databases, the gateway, started in order and stopped in reverse.
//
// A process runs all of it, or its place in a topology. What crosses services goes through `Calls` and `Bus`, so
// where they run is this file's business and nobody else's.

import type { RememberedToken } from "../auth/index.ts";
import type { Logger } from "../base/index.ts";
import { createMemoryCache, type MemoryCache } from "../cache/index.ts";
import { createDependencies } from "../call/index.ts";
import { createDatabase, type Database } from "../data/index.ts";
import type { Bus } from "../events/index.ts";
import { createGateway, createHealth, createPeerHandler, createServicePort } from "../gateway/index.ts";
import { assertPortFree, createHttpServer } from "../http/index.ts";
import type { Redis } from "../redis/index.ts";
import { migrateService, type RunningService } from "../service/index.ts";
import { openBus, probesOfBus } from "./bus.ts";
import { checkDefinition } from "./check-definition.ts";
import { checkLimits } from "./check-limits.ts";
import { openDatabases } from "./databases.ts";
import type { Platform, SystemOptions } from "./definition.ts";
import {
  afterRequestsMs,
  closeSoon,
  createEnding,
  type Ending,
  type Step,
  type StopOptions,
  withinDefaultMs,
} from "./ending.ts";
import { fillDemo, refuseDemoData } from "./demo-data.ts";
import { followEndedTokens } from "./ended-tokens.ts";
import { checkPlace, readPeerTls } from "./peer-tls.ts";
import { createPeers } from "./peers.ts";
import { createPlatform } from "./platform.ts";
import { readOrCreateSecret } from "./secret.ts";
import { createServices } from "./services.ts";
import { createLimits, openShared } from "./shared-store.ts";
import { single } from "./topology.ts";
import { createVerify } from "./verify.ts";

export interface RunningSystem {
  readonly url: string;
  readonly embedded: boolean;
  readonly demo: readonly string[];
  readonly services: ReadonlyMap<string, RunningService>;
  readonly platform: Platform;
  /** Ends it in order, in nine seconds at most (ending.ts). Safe to repeat: later calls wait for the first. */
  stop(options?: StopOptions): Promise<void>;
}

/** What those ask who start and stop processes, and have no certificate. */
const probePaths = ["/health/live", "/health/ready"];
const maxBodyBytes = 1024 * 1024;
const rememberedTokens = 100_000;
/** Starts a system. When a step fails, what was started before it is stopped again. */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const undo: Step[] = [];
  const ending = createEnding(options.clock, options.log);
  try {
    return await start(options, undo, ending);
  } catch (error) {
    await ending.undo(undo);
    throw error;
  }
}

async function start(options: SystemOptions, undo: Step[], ending: Ending): Promise<RunningSystem> {
  const { definition, settings, clock, random, log, place = single } = options;
  const progress = options.onProgress ?? (() => {});
  checkDefinition(definition.contracts, log);
  checkLimits(definition.contracts, settings.limits);
  const { peerTls } = settings;
  const tls = peerTls && (await readPeerTls(peerTls, clock));
  if (tls)
    checkPlace(
      place,
      definition.contracts.some(({ name }) => place.has(name)),
    );
  const { listenFd } = options;
  if (listenFd === undefined) await assertPortFree(settings.host, settings.port);
  const redis = await openShared(options, undo);
  const remembered = createMemoryCache<RememberedToken>({ clock, maxEntries: rememberedTokens });
  const secret = await readOrCreateSecret(settings.dataDirectory, random);
  const { platform, jwks } = await createPlatform(options, remembered, secret);
  const implementations = definition.services(platform).filter(({ contract }) => place.has(contract.name));
  const dependencies = createDependencies({ clock, random, log });
  const peers = createPeers({
    contracts: definition.contracts,
    place,
    secret: platform.secretFor("peers"),
    dependencies,
    tls,
    clock,
    log,
    faults: options.faults,
  });
  undo.push(() => peers.close());
  const bus = await openBus(options, { secret, peers: peers.receivers }, undo);

  const { urls, embedded } = await openDatabases(options, implementations, undo);
  const databases = new Map(
    Object.entries(urls).map(
      ([name, url]) =>
        [name, createDatabase({ url, applicationName: `${definition.name} ${name}`, clock, log })] as const,
    ),
  );
  undo.push(() => closeSoon(clock, () => Promise.all([...databases.values()].map((database) => database.close()))));

  progress("Checking the databases");
  await Promise.all(implementations.map((one) => migrateService(databases.get(one.contract.database)!, one, log)));

  const { services, calls } = createServices(options, implementations, {
    databases,
    peers,
    dependencies,
    bus,
    redis,
    cursorSecret: secret,
  });
  await refuseDemoData(options, services, platform);
  const demo =
    options.demo === "always" || (options.demo && embedded !== undefined)
      ? await fillDemo(options, services, platform)
      : [];

  const health = createHealth({
    version: definition.version,
    clock,
    probes: probesOf(databases, remembered, redis, bus),
    ...(place.gateway ? { peers } : {}),
  });
  const common = {
    health,
    verify: createVerify({ ...platform, apiKeys: definition.apiKeys, calls }),
    limiter: createLimits(options, redis),
    corsOrigins: settings.corsOrigins,
    clock,
    random,
    log,
    maxBodyBytes,
    requestTimeoutMs: settings.requestTimeoutMs,
    checkAnswers: settings.checkAnswers,
  };
  const handle = place.gateway
    ? createGateway({
        ...common,
        services: [...services.values(), ...peers.services],
        contracts: definition.contracts,
        title: definition.title,
        version: definition.version,
        jwks,
        trustedProxies: settings.trustedProxies,
      })
    : createServicePort({ ...common, services: [...services.values()], tokens: peers.tokens });
  // Where no peer has anything to ask there is no address for it either.
  const isAsked = place !== single && services.size > 0;
  const server = createHttpServer({
    handle: isAsked ? createPeerHandler({ services, bus, tokens: peers.tokens, clock, log }, handle) : handle,
    port: settings.port,
    host: settings.host,
    ...(listenFd === undefined ? {} : { listenFd }),
    log,
    clock,
    random,
    // Clients come to the gateway, and TLS for them ends in front of it.
    tls: tls && !place.gateway ? { ...tls, open: probePaths } : undefined,
  });
  // Before they start: when one cannot, those that did are stopped.
  undo.push(() => Promise.all([...services.values()].map((service) => service.stop(ending.leftForEvents()))));
  await Promise.all([...services.values()].map((service) => service.start()));
  const { endedTokens } = definition;
  if (endedTokens !== undefined && !place.has(endedTokens.service)) {
    const { revocations } = platform;
    undo.push(await followEndedTokens({ operation: endedTokens, revocations, calls, clock, log }));
  }
  await warmUp(databases, log);
  const port = await server.listen();

  let stopping: Promise<void> | undefined;
  return {
    url: `${tls && !place.gateway ? "https" : "http"}://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${port}`,
    embedded: embedded !== undefined,
    demo,
    services,
    platform,
    stop({
      leadMs = settings.drainLeadMs,
      replaced = false,
      withinMs = withinDefaultMs,
      graceMs = withinMs - afterRequestsMs,
    } = {}) {
      stopping ??= (async () => {
        ending.begin(withinMs);
        health.drain();
        await server.drain({ leadMs, replaced, graceMs: Math.max(0, graceMs) });
        await ending.undo(undo);
      })();
      return stopping;
    },
  };
}

/** Whoever is replaced by this process hands over requests at once: they should not wait for connections. */
async function warmUp(databases: ReadonlyMap<string, Database>, log: Logger): Promise<void> {
  await Promise.all([...databases.values()].map((database) => database.warmUp())).catch((err: unknown) =>
    log.warn({ err }, "Could not open all database connections ahead"),
  );
}

function probesOf(
  databases: ReadonlyMap<string, Database>,
  remembered: MemoryCache<RememberedToken>,
  redis: Redis | undefined,
  bus: Bus,
) {
  const pings = [...databases.values()].map((database) => () => database.ping());
  // The queue is the outbox in the same databases, and what carries it to other processes.
  return {
    database: pings,
    cache: [async () => remembered.ping(), ...(redis ? [() => redis.ping()] : [])],
    queue: [...pings, ...probesOfBus(bus)],
  };
}
