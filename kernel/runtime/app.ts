// An app: what the command line starts. package.json names its module, which exports one by default:
//
//   "ashlar": { "app": "store/main.ts" }
//
// Importing the module starts nothing and reads no environment, so that tools can look at it.

import type { LogLevel } from "./log.ts";
import type { Setting } from "./settings.ts";
import type { SystemDefinition, SystemSettings } from "./system.ts";

export interface App {
  readonly definition: SystemDefinition;
  /** Every variable of the environment that the app reads, for help. */
  readonly variables: Readonly<Record<string, Setting<unknown>>>;
  /** Throws a SettingsError that names every mistake. */
  readSettings(environment: Readonly<Record<string, string | undefined>>): AppSettings;
}

export interface AppSettings {
  /** A relative `dataDirectory` is meant from the folder of the package.json. */
  readonly system: SystemSettings;
  readonly logLevel: LogLevel;
  /** Where nobody should try the app out, in production, there is none. */
  readonly demo: Demo | undefined;
}

export interface Demo {
  /** Fills an empty system, on the embedded databases only. Answers lines for the person who started it. */
  readonly fill: NonNullable<SystemDefinition["demo"]>;
  /** What to paste into a shell first, each with what it does. */
  commands(url: string): readonly { does: string; command: string }[];
}
