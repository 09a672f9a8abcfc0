// Settings, start order, logs: a definition becomes a running system.
export { createLogger, logLevels, type LogLevel } from "./log.ts";
export {
  choiceSetting, durationSetting, limitSetting, listSetting, portSetting, postgresSetting, readSettings, type Setting, type Settings, SettingsError, textSetting,
} from "./settings.ts";
export { startSystem, type Platform, type RunningSystem, type SystemDefinition, type SystemOptions, type SystemSettings } from "./system.ts";
