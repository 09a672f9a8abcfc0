// An app: what the command line starts. package.json names its module, which exports one by default:
//
//   "ashlar": { "app": "main.ts" }
//
// Importing the module starts nothing and reads no environment, so that tools can look at it.

import type { EndedTokensOperation } from "./ended-tokens.ts";
import type { Implementation } from "../service/index.ts";
import type { LogLevel } from "./log.ts";
import { neededForMail } from "./mail-settings.ts";
import { neededForPeerTls } from "./peer-tls.ts";
import { readSettings, type Setting, type Settings } from "./settings.ts";
import {
  misspeltLimits,
  processUrlsOf,
  processVariables,
  type StandardValues,
  standardVariables,
  systemSettingsOf,
  type Variables,
} from "./standard-settings.ts";
import type { Platform, SystemDefinition, SystemSettings } from "./definition.ts";
import { type Beside, type Topology, topologyMistakes } from "./topology.ts";
import type { ApiKeyOperation } from "./verify.ts";

export interface App {
  readonly definition: SystemDefinition;
  /** How it may be spread over processes, by name; `single`, everything in one, needs no word. */
  readonly topologies?: Readonly<Record<string, Topology>>;
  /** Which bus and which cache a topology has, by its name. */
  readonly beside?: Readonly<Record<string, Beside>>;
  /** Every variable of the environment that the app reads, for help. */
  readonly variables: Readonly<Record<string, Setting<unknown>>>;
  /** Throws a SettingsError that names every mistake. */
  readSettings(environment: Readonly<Record<string, string | undefined>>): AppSettings;
}

export interface AppSettings {
  /** A relative `dataDirectory` is meant from the folder of the package.json. */
  readonly system: SystemSettings;
  readonly logLevel: LogLevel;
  /** Where the processes of a topology are reached, where that is configured. */
  readonly processUrls?: Readonly<Record<string, string | undefined>>;
  /** Where nobody should try the app out, in production, there is none. */
  readonly demo: Demo | undefined;
  /** In production, where it would be found and used by others, what is left of the demo data. */
  readonly demoRemains?: Demo["remains"];
}

export interface Demo {
  /** Fills an empty system, on the embedded databases only. Answers lines for the person who started it. */
  readonly fill: NonNullable<SystemDefinition["demo"]>;
  /**
   * What an earlier start filled in that lets in whoever knows the demo, such as users with the known password: one
   * word for each. A start in production refuses to go on while there is any.
   */
  readonly remains?: SystemDefinition["demoRemains"];
  /** What to paste into a shell first, each with what it does. */
  commands(url: string): readonly { does: string; command: string }[];
}

export interface AppSpec<V extends Variables> {
  /** Names the app in its tokens and its database sessions. */
  name: string;
  /** What people read at the start and in the documents. Default: the name. */
  title?: string;
  version?: string;
  /** The services, or how they are made of what the platform lends them. Making one starts nothing. */
  services: readonly Implementation[] | ((platform: Platform) => readonly Implementation[]);
  /** Knows the API keys; without it there are none. */
  apiKeys?: ApiKeyOperation;
  /** Knows what ended access tokens; a system whose tokens end early needs it to run in several processes. */
  endedTokens?: EndedTokensOperation;
  /** How the app may be spread over processes, by name. */
  topologies?: Readonly<Record<string, Topology>>;
  /** Which bus and which cache a topology has, by its name; those that are configured or installed when it is not said. */
  beside?: Readonly<Record<string, Beside>>;
  /** Variables of the environment beside the standard ones, or in the place of one. */
  variables?: V;
  /** Something to look at for who tries the app out. */
  demo?(values: Settings<V>): Demo;
}

/**
 * The app of these services, with the settings that every app has (`ashlar config` lists them):
 * `export default createApp({ name: "notes", services: [notesService] });`
 */
export function createApp<V extends Variables = Record<never, never>>(spec: AppSpec<V>): App {
  const { name, services } = spec;
  const make = typeof services === "function" ? services : () => services;
  const made = make(unusablePlatform);
  const contracts = made.map(({ contract }) => contract);
  const { topologies = {}, beside = {} } = spec;
  for (const [topology, processes] of Object.entries(topologies)) {
    const mistakes = topologyMistakes(processes, contracts);
    if (mistakes.length > 0) throw new Error(`The topology "${topology}" cannot be run. ${mistakes.join(" ")}`);
  }
  for (const topology of Object.keys(beside)) {
    if (!Object.hasOwn(topologies, topology))
      throw new Error(`There is no topology "${topology}" for the bus and the cache named in \`beside\`.`);
  }
  const variables: Variables = { ...standardVariables(made), ...processVariables(topologies), ...spec.variables };
  return {
    definition: {
      name,
      title: spec.title ?? name,
      version: spec.version ?? "0.0.0",
      contracts,
      services: make,
      ...(spec.apiKeys && { apiKeys: spec.apiKeys }),
      ...(spec.endedTokens && { endedTokens: spec.endedTokens }),
    },
    topologies,
    beside,
    variables,
    readSettings(environment) {
      const needed = "SMTP_URL" in variables ? neededForMail(environment) : {};
      const neededHere = "PEER_TLS_CERT" in variables ? neededForPeerTls(environment) : {};
      const declared = { ...variables, ...misspeltLimits(variables, environment), ...needed, ...neededHere };
      const values = readSettings(declared, environment) as StandardValues & Settings<V>;
      const demo = spec.demo?.(values);
      return {
        system: systemSettingsOf(name, contracts, values),
        logLevel: values.LOG_LEVEL,
        processUrls: processUrlsOf(topologies, values),
        ...(values.NODE_ENV === "production" ? { demo: undefined, demoRemains: demo?.remains } : { demo }),
      };
    },
  };
}

/** For tools that make services to look at them (contracts, migrations) and never run them: no keys are made. */
export const unusablePlatform: Platform = {
  tokens: unusable() as Platform["tokens"],
  passwords: unusable() as Platform["passwords"],
  revocations: unusable() as Platform["revocations"],
  clock: unusable() as Platform["clock"],
  title: "",
  publicUrl: "",
  refusalStepMs: 0,
  secretFor: refuseUse,
};

function unusable(): object {
  return new Proxy({}, { get: () => refuseUse });
}

function refuseUse(): never {
  throw new Error(
    "A service uses the platform while it is made. Let it wait for its first request: commands such as `ashlar migrate` make services and do not run them.",
  );
}
