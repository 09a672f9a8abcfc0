// Settings, start order, logs: a definition becomes a running system.
export { createApp, unusablePlatform, type App, type AppSettings, type AppSpec, type Demo } from "./app.ts";
export { rateClasses } from "./check-limits.ts";
export { createLineReader, createLogger, logLevels, type LogLevel } from "./log.ts";
export { findProgram } from "./programs.ts";
export { refuseInProduction } from "./production.ts";
export { deriveSecret, readOrCreateSecret } from "./secret.ts";
export {
  choiceSetting,
  daysSetting,
  limitSetting,
  listSetting,
  portSetting,
  postgresSetting,
  publicUrlSetting,
  readSettings,
  redisSetting,
  type Setting,
  type Settings,
  SettingsError,
  smtpSetting,
  textSetting,
} from "./settings.ts";
export type { Faults, Platform, SystemDefinition, SystemOptions, SystemSettings } from "./definition.ts";
export type { StopOptions } from "./ending.ts";
export { startSystem, type RunningSystem } from "./system.ts";
export type { ApiKeyOperation } from "./verify.ts";
export {
  placeIn,
  single,
  topologyMistakes,
  type Beside,
  type Place,
  type ProcessSpec,
  type Topology,
} from "./topology.ts";
export type { EndedTokensOperation } from "./ended-tokens.ts";
export { databaseVariable, processVariable } from "./standard-settings.ts";
