// A system: its services, their databases, the gateway, started in order and stopped in reverse.
//
// A process runs all of it, or its place in a topology. What crosses services goes through `Calls` and `Bus`, so
// where they run is this file's business and nobody else's.

import { availableParallelism } from "node:os";
import {
  createPasswords,
  createRevocations,
  createTokens,
  openKeys,
  type Passwords,
  type RememberedToken,
  type Revocations,
  type Tokens,
} from "../auth/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import { createEntries, createMemoryCache, createRedisStore, type MemoryCache } from "../cache/index.ts";
import { createCalls } from "../call/index.ts";
import type { ServiceContract } from "../contract/index.ts";
import { createDatabase, type Database, type EmbeddedPostgres, startEmbeddedPostgres } from "../data/index.ts";
import type { Bus } from "../events/index.ts";
import { createGateway, createHealth, createPeerHandler, createServicePort } from "../gateway/index.ts";
import { assertPortFree, createHttpServer } from "../http/index.ts";
import { createLimiter, createSharedLimiter, type Limiter, type Policy } from "../limit/index.ts";
import { createSmtpMailer, type SmtpOptions } from "../mail/index.ts";
import { openRedis, type Redis } from "../redis/index.ts";
import {
  type Context,
  createService,
  type Implementation,
  migrateService,
  type RunningService,
} from "../service/index.ts";
import { openBus, probesOfBus } from "./bus.ts";
import { checkDefinition } from "./check-definition.ts";
import { checkLimits } from "./check-limits.ts";
import { type EndedTokensOperation, followEndedTokens } from "./ended-tokens.ts";
import { createPeers, type Peers } from "./peers.ts";
import { deriveSecret, readOrCreateSecret } from "./secret.ts";
import { type Place, single } from "./topology.ts";
import { type ApiKeyOperation, createVerify } from "./verify.ts";

/** What the platform lends to the services of a system when they are made. */
export interface Platform {
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  readonly revocations: Revocations;
  readonly clock: Clock;
  /** What the system is called by people. */
  readonly title: string;
  /** Where links in mails lead; never taken from a request. */
  readonly publicUrl: string;
  /** Refused sign-ins are answered on a multiple of this since they came; 0 is at once. */
  readonly refusalStepMs: number;
  /** A secret of this installation for one purpose, the same in each of its processes. */
  secretFor(purpose: string): Uint8Array;
}

export interface SystemSettings {
  readonly port: number;
  readonly host: string;
  /** Where keys, secrets and the embedded database live. */
  readonly dataDirectory: string;
  /** By database name; the embedded server serves those that are undefined. */
  readonly databaseUrls: Readonly<Record<string, string | undefined>>;
  readonly limits: Readonly<Record<string, Policy | "off">>;
  /** What several processes share; without it each of them is by itself. */
  readonly redisUrl: string | undefined;
  /** How events travel between processes; without it they stay in this one. */
  readonly natsUrl: string | undefined;
  /** While that is down, each process grants one in so many of every limit. */
  readonly limitShares: number;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly issuer: string;
  /** Where the pages of the app are, without a slash at the end: links in mails lead there. */
  readonly publicUrl: string;
  /** Without it mails are kept, and not sent. */
  readonly smtp: SmtpOptions | undefined;
  /** Refused sign-ins are answered on a multiple of this since they came, so that their time tells less; 0 is at once. */
  readonly refusalStepMs: number;
  readonly requestTimeoutMs: number;
  /** How long rows that were deleted softly stay before they are erased; undefined: for ever. */
  readonly purgeDeletedAfterMs: number | undefined;
  readonly checkAnswers: boolean;
}

export interface SystemDefinition {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  /** The contracts, for documents and tools that start nothing. */
  readonly contracts: readonly ServiceContract[];
  services(platform: Platform): readonly Implementation[];
  /** Knows the API keys; without it there are none. */
  readonly apiKeys?: ApiKeyOperation;
  /** Knows what ended access tokens; a system whose tokens end early needs it to run in several processes. */
  readonly endedTokens?: EndedTokensOperation;
  /** Fills an empty store; runs only on the embedded database. Answers lines for the person who started it. */
  demo?(contextOf: (service: string) => Context | undefined, platform: Platform): Promise<readonly string[]>;
  /** What is left of the demo data, by name: while there is any, the start is refused. For production. */
  demoRemains?(contextOf: (service: string) => Context | undefined, platform: Platform): Promise<readonly string[]>;
}

export interface SystemOptions {
  definition: SystemDefinition;
  settings: SystemSettings;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Whether to fill an empty store with demo data: on the embedded databases only, or always. */
  demo: boolean | "always";
  /** What of the system runs in this process. Default: everything. */
  place?: Place;
  onProgress?: (message: string) => void;
}

export interface RunningSystem {
  readonly url: string;
  readonly embedded: boolean;
  readonly demo: readonly string[];
  readonly services: ReadonlyMap<string, RunningService>;
  readonly platform: Platform;
  /** Stops accepting, finishes what runs within `graceMs`, stops delivering, closes databases. Safe to repeat. */
  stop(graceMs?: number): Promise<void>;
}

const maxBodyBytes = 1024 * 1024;
const drainMs = 8_000;
/**
 * Passwords hashed at a time: on two cores one, so that the other is left for everybody else during a flood of
 * logins. Never more than half of the four threads that Node has for this, since answers are compressed there too.
 */
const passwordConcurrency = Math.max(1, Math.min(2, availableParallelism() - 1));
const rememberedTokens = 100_000;
/** What the cached answers of all services may take of a process's memory, roughly. */
const cachedBytesMax = 64 * 1024 * 1024;

/** Starts a system. When a step fails, what was started before it is stopped again. */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).toReversed()) {
      await step().catch((err: unknown) => options.log.warn({ err }, "A step of stopping failed"));
    }
  };
  try {
    return await start(options, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: SystemOptions,
  undo: (() => Promise<unknown>)[],
  stopAll: () => Promise<void>,
): Promise<RunningSystem> {
  const { definition, settings, clock, random, log, place = single } = options;
  const progress = options.onProgress ?? (() => {});
  checkDefinition(definition.contracts, log);
  checkLimits(definition.contracts, settings.limits);
  await assertPortFree(settings.host, settings.port);
  const redis = await openShared(options, undo);
  const remembered = createMemoryCache<RememberedToken>({ clock, maxEntries: rememberedTokens });
  const secret = await readOrCreateSecret(settings.dataDirectory, random);
  const { platform, jwks } = await createPlatform(options, remembered, secret);
  const implementations = definition.services(platform).filter(({ contract }) => place.has(contract.name));
  const peers = createPeers({
    contracts: definition.contracts,
    place,
    secret: platform.secretFor("peers"),
    clock,
    log,
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
  undo.push(() => Promise.all([...databases.values()].map((database) => database.close())));

  progress("Checking the databases");
  await Promise.all(implementations.map((one) => migrateService(databases.get(one.contract.database)!, one, log)));

  const { services, calls } = createServices(options, implementations, databases, peers, secret, bus, redis);
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
  const server = createHttpServer({
    handle: createPeerHandler({ services, bus, tokens: peers.tokens, clock, log }, handle),
    port: settings.port,
    host: settings.host,
    log,
    clock,
    random,
  });
  // Before they start: when one cannot, those that did are stopped.
  undo.push(() => Promise.all([...services.values()].map((service) => service.stop())));
  await Promise.all([...services.values()].map((service) => service.start()));
  const { endedTokens } = definition;
  if (endedTokens !== undefined && !place.has(endedTokens.service)) {
    const { revocations } = platform;
    undo.push(await followEndedTokens({ operation: endedTokens, revocations, calls, clock, log }));
  }
  const port = await server.listen();

  let stopping: Promise<void> | undefined;
  return {
    url: `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${port}`,
    embedded: embedded !== undefined,
    demo,
    services,
    platform,
    stop(graceMs = drainMs) {
      health.drain();
      stopping ??= server.drain(graceMs).then(stopAll);
      return stopping;
    },
  };
}

async function createPlatform(
  { definition, settings, clock, random }: SystemOptions,
  remembered: MemoryCache<RememberedToken>,
  secret: Uint8Array,
) {
  const keys = await openKeys({ directory: settings.dataDirectory, clock, random });
  const tokens = createTokens({ keys, issuer: settings.issuer, audience: settings.issuer, clock, random, remembered });
  const platform: Platform = {
    tokens,
    passwords: createPasswords({ clock, maxConcurrent: passwordConcurrency }),
    revocations: createRevocations({ clock, ttlMs: tokens.accessTtlMs }),
    clock,
    title: definition.title,
    publicUrl: settings.publicUrl,
    refusalStepMs: settings.refusalStepMs,
    secretFor: (purpose) => deriveSecret(secret, purpose),
  };
  return { platform, jwks: () => keys.jwks() };
}

/** Opened first and closed last: whatever is started may ask it. A system starts, and serves, without it. */
async function openShared(
  { definition, settings, clock, log }: SystemOptions,
  undo: (() => Promise<unknown>)[],
): Promise<Redis | undefined> {
  if (settings.redisUrl === undefined) return undefined;
  const redis = await openRedis({ url: settings.redisUrl, name: definition.name, clock, log });
  undo.push(() => redis.close());
  return redis;
}

function createLimits({ definition, settings, clock, log }: SystemOptions, redis: Redis | undefined): Limiter {
  const { limits: classes, limitShares: shares } = settings;
  if (redis === undefined) return createLimiter({ classes, clock });
  return createSharedLimiter({ classes, redis, app: definition.name, shares, clock, log });
}

/** The URL of every database: as configured, else from the embedded server. */
async function openDatabases(
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

function createServices(
  options: SystemOptions,
  implementations: readonly Implementation[],
  databases: ReadonlyMap<string, Database>,
  peers: Peers,
  cursorSecret: Uint8Array,
  bus: Bus,
  redis: Redis | undefined,
) {
  const services = new Map<string, RunningService>();
  const cached = {
    entries: createEntries(options.clock, cachedBytesMax),
    shared: redis && createRedisStore({ redis, app: options.definition.name, random: options.random }),
  };
  const { smtp } = options.settings;
  const mailer = smtp && createSmtpMailer(smtp);
  const calls = createCalls({
    clock: options.clock,
    targetOf: (name) => services.get(name)?.target ?? peers.targetOf(name),
  });
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

async function fillDemo(
  { definition, onProgress }: SystemOptions,
  services: ReadonlyMap<string, RunningService>,
  platform: Platform,
) {
  if (definition.demo === undefined) return [];
  onProgress?.("Checking the demo data");
  return definition.demo((name) => services.get(name)?.contextFor("demo data"), platform);
}

async function refuseDemoData(
  { definition }: SystemOptions,
  services: ReadonlyMap<string, RunningService>,
  platform: Platform,
) {
  const contextOf = (name: string) => services.get(name)?.contextFor("demo data");
  const remains = (await definition.demoRemains?.(contextOf, platform)) ?? [];
  if (remains.length === 0) return;
  throw new Error(
    `There is demo data that anybody knows: ${remains.join(", ")}. In production the app does not start on it: choose another ASHLAR_DATA or database, or start without NODE_ENV=production and change or delete it.`,
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
