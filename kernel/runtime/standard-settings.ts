// The settings that every app has: where it listens, where its data lies, its databases, its limits, its log.
//
// They follow from the contracts: a database called `users` is configured by USERS_DATABASE_URL, a rate
// class `auth` by LIMIT_AUTH. What only one app has, it declares beside them (see `createApp`).

import { type ServiceContract, snakeCase } from "../contract/index.ts";
import { createAddressReader, createCors, idleConnectionMs } from "../http/index.ts";
import type { Policy } from "../limit/index.ts";
import type { Implementation } from "../service/index.ts";
import type { Topology } from "./topology.ts";
import { rateClasses } from "./check-limits.ts";
import { logLevels } from "./log.ts";
import { mailVariables, smtpOf } from "./mail-settings.ts";
import { peerTlsOf, peerTlsVariables } from "./peer-tls.ts";
import {
  checkedListSetting,
  choiceSetting,
  daysSetting,
  durationSetting,
  limitSetting,
  natsSetting,
  portSetting,
  postgresSetting,
  redisSetting,
  shareSetting,
  refusedSetting,
  type Setting,
  type Settings,
  textSetting,
  urlSetting,
} from "./settings.ts";
import type { SystemSettings } from "./definition.ts";
import { afterRequestsMs, withinDefaultMs } from "./ending.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Contracts = readonly ServiceContract[];
export type Variables = Readonly<Record<string, Setting<unknown>>>;

const place = {
  PORT: portSetting(3000, "the port of the API; 0 takes a free one"),
  HOST: textSetting("127.0.0.1", "the address to listen on; 0.0.0.0 is every IPv4 address of the machine"),
  ASHLAR_DATA: textSetting(".ashlar", "the folder of the keys and of the app's own PostgreSQL"),
};

/** Two seconds are left for what is answered late. */
const leadMaxMs = withinDefaultMs - 2 * afterRequestsMs;

const surroundings = {
  TRUSTED_PROXIES: checkedListSetting(
    "addresses and ranges of proxies whose X-Forwarded-For is believed, separated by commas",
    (ranges) => void createAddressReader(ranges),
    "must be addresses or ranges, such as 10.0.0.0/8,192.0.2.7",
  ),
  CORS_ORIGINS: checkedListSetting(
    "origins whose pages may call the API, separated by commas",
    (origins) => void createCors({ origins }),
    "must be origins as browsers send them, such as https://shop.example, and * is none",
  ),
  LOG_LEVEL: choiceSetting(
    logLevels,
    "info",
    `${logLevels.join(", ")}; debug also shows the stack of what ends a command`,
  ),
  NODE_ENV: choiceSetting(
    ["development", "test", "production"],
    "development",
    "production is without demo data and the check of every answer, and refuses weak passwords in URLs",
  ),
  DRAIN_LEAD: durationSetting(
    "how long a process that was asked to end serves on, for load balancers and clients that have not heard of it; 5s in production, else 0s",
    leadMaxMs,
  ),
  INTERNAL_PORT: notYet("the port of /metrics"),
  REDIS_URL: redisSetting(
    "Redis or Valkey for what several processes share, redis://user:password@host:6379/0 or rediss://...; without it each counts limits by itself",
  ),
  LIMIT_SHARE: shareSetting(
    "1/2",
    "what each process grants of every limit while REDIS_URL is down: 1/4 where there are four of them",
  ),
  NATS_URL: natsSetting(
    "NATS with JetStream, 2.9 or newer, for events between processes, nats://user:password@host:4222 or tls://...; without it they stay in this one",
  ),
};

/** The values of the standard variables; those of databases and limits are found by their names. */
export type StandardValues = Settings<typeof place & typeof surroundings> &
  Partial<Settings<typeof mailVariables & typeof keeping & typeof peerTlsVariables>> &
  Readonly<Record<string, unknown>>;

/** Every standard variable of an app of these services, in the order in which help lists them. */
export function standardVariables(services: readonly Implementation[]): Variables {
  const contracts = services.map(({ contract }) => contract);
  const mails = services.some((one) => Object.keys(one.mails).length > 0);
  const deletesSoftly = contracts.some(({ resources }) => resources.some(({ spec }) => spec.softDelete));
  return {
    ...place,
    ...databaseVariables(contracts),
    ...limitVariables(contracts),
    ...(mails ? mailVariables : {}),
    ...(deletesSoftly ? keeping : {}),
    ...surroundings,
  };
}

const keeping = {
  PURGE_DELETED_AFTER: daysSetting(
    "90d",
    'how long what was deleted can be restored, before it is erased; "off" keeps it for ever',
  ),
};

// A person who clicks and pastes stays far below these; a script that runs away does not.
const limits: Readonly<Record<string, Setting<Policy | "off">>> = {
  default: limitSetting("600/60s", 'requests of one user, such as 600/60s; "off" for none, here and below'),
  anonymous: limitSetting("300/60s", "requests without a token from one address"),
  machine: limitSetting("1200/60s", "requests with one API key"),
};

function limitVariables(contracts: Contracts): Variables {
  const classes = rateClasses(contracts);
  if (classes.some((name) => limitVariable(name) === "LIMIT_SHARE"))
    throw new Error('A rate class cannot be called "share", since LIMIT_SHARE says something else. Rename it.');
  const named = classes.map((name) => [
    limitVariable(name),
    limits[name] ?? limitSetting("20/60s", `requests of the class "${name}" from one address, and for one account`),
  ]);
  return Object.fromEntries(named) as Variables;
}

function databaseVariables(contracts: Contracts): Variables {
  const named = contracts.map(({ name, database }) => [
    databaseVariable(database),
    postgresSetting(
      `PostgreSQL 15 or newer for ${name}, postgres://user:password@host:5432/name; without it the app runs its own`,
    ),
  ]);
  return Object.fromEntries(named) as Variables;
}

/** Where each process with services is reached, which on other machines has to be said, and how they know each other. */
export function processVariables(topologies: Readonly<Record<string, Topology>>): Variables {
  const named = Object.values(topologies).flatMap((topology) =>
    Object.entries(topology)
      .filter(([, { services }]) => services.length > 0)
      .map(([process, { port, url = `http://127.0.0.1:${port}` }]) => [
        processVariable(process),
        urlSetting(`where the process ${process} is reached by the others; ${url} when absent`),
      ]),
  );
  return { ...Object.fromEntries(named), ...(named.length > 0 ? peerTlsVariables : {}) } as Variables;
}

export function processUrlsOf(
  topologies: Readonly<Record<string, Topology>>,
  values: StandardValues,
): Readonly<Record<string, string | undefined>> {
  const processes = Object.values(topologies).flatMap((topology) => Object.entries(topology));
  const here = (port: number) => (peerTlsOf(values) === undefined ? undefined : `https://127.0.0.1:${port}`);
  return Object.fromEntries(
    processes.map(([process, { port, url }]) => [
      process,
      (values[processVariable(process)] as string | undefined) ?? url ?? here(port),
    ]),
  );
}

export function processVariable(process: string): string {
  return `${upperCase(process)}_URL`;
}

export function databaseVariable(database: string): string {
  return `${upperCase(database)}_DATABASE_URL`;
}

function limitVariable(rateClass: string): string {
  return `LIMIT_${upperCase(rateClass)}`;
}

function upperCase(name: string): string {
  return snakeCase(name).toUpperCase();
}

/** Variables that look like a limit and are none: a misspelt one would leave the real one at its default, unnoticed. */
export function misspeltLimits(variables: Variables, environment: Environment): Variables {
  const known = Object.keys(variables).filter((name) => name.startsWith("LIMIT_"));
  const unknown = Object.keys(environment).filter((name) => name.startsWith("LIMIT_") && !known.includes(name));
  const refused = refusedSetting("", `is not a limit of this app; there are ${known.join(", ")}`);
  return Object.fromEntries(unknown.map((name) => [name, refused]));
}

const requestTimeoutMs = 30_000;
/** Many times what a sign-in takes on an idle machine, and less than a person notices. */
const refusalStepMs = 250;

/** What a system is started with, from the values of the standard variables. */
export function systemSettingsOf(name: string, contracts: Contracts, values: StandardValues): SystemSettings {
  const databases = contracts.map(({ database }) => [database, values[databaseVariable(database)]]);
  const limited = rateClasses(contracts).map((one) => [one, values[limitVariable(one)]]);
  return {
    port: values.PORT,
    host: values.HOST,
    dataDirectory: values.ASHLAR_DATA,
    databaseUrls: Object.fromEntries(databases) as SystemSettings["databaseUrls"],
    limits: Object.fromEntries(limited) as SystemSettings["limits"],
    redisUrl: values.REDIS_URL,
    natsUrl: values.NATS_URL,
    peerTls: peerTlsOf(values),
    limitShares: values.LIMIT_SHARE,
    trustedProxies: values.TRUSTED_PROXIES,
    corsOrigins: values.CORS_ORIGINS,
    issuer: `ashlar-${name}`,
    publicUrl: values.PUBLIC_URL ?? mailVariables.PUBLIC_URL.absent,
    smtp: smtpOf(values),
    purgeDeletedAfterMs: values.PURGE_DELETED_AFTER,
    requestTimeoutMs,
    drainLeadMs: values.DRAIN_LEAD ?? (values.NODE_ENV === "production" ? idleConnectionMs : 0),
    refusalStepMs,
    checkAnswers: values.NODE_ENV !== "production",
  };
}

/** Known, and refused rather than ignored: who sets it counts on what it does. */
function notYet(meaning: string): Setting<undefined> {
  return refusedSetting(`${meaning}; not there yet`, "is not supported yet: unset it");
}
