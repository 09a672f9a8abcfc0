// Where in a topology this process is, from the command line and the environment.

import { type App, type AppSettings, databaseVariable, type Place, placeIn, type Topology } from "../runtime/index.ts";
import { UsageError } from "./errors.ts";
import type { StartOptions } from "./start.ts";

/** Undefined for everything in one process. */
export function topologyOf(
  { topologies = {} }: App,
  { topology: name, process, bus, cache }: StartOptions,
): Topology | undefined {
  if (name === undefined && process !== undefined)
    throw new UsageError("--process needs --topology, of which it is one");
  const isSingle = name === undefined || name === "single";
  if (isSingle && (bus ?? cache) !== undefined)
    throw new UsageError(
      "--bus and --cache need --topology: one process hands events to itself and has nothing to share",
    );
  if (isSingle) return undefined;
  const topology = Object.hasOwn(topologies, name) ? topologies[name]! : undefined;
  const names = ["single", ...Object.keys(topologies)].join(", ");
  if (topology === undefined) throw new UsageError(`This app has no topology "${name}". It has ${names}.`);
  if (process !== undefined && !Object.hasOwn(topology, process))
    throw new UsageError(
      `The topology ${name} has no process "${process}". It has ${Object.keys(topology).join(", ")}.`,
    );
  return topology;
}

/** The settings of one process: its own port unless PORT is set, and the databases of its services, which must be configured. */
export function inProcess(
  { definition }: App,
  settings: AppSettings,
  topology: Topology,
  { process: name, demo }: StartOptions,
): [AppSettings, { place: Place; demo: boolean }] {
  const place = placeIn(topology, name!, settings.processUrls ?? {});
  const { databaseUrls } = settings.system;
  const databases = definition.contracts.filter((one) => place.has(one.name)).map(({ database }) => database);
  const missing = databases.filter((database) => databaseUrls[database] === undefined).map(databaseVariable);
  if (missing.length > 0)
    throw new Error(
      `The process ${name} needs ${missing.join(" and ")}: by itself it runs no PostgreSQL. Without --process all processes are started on this machine, with one.`,
    );
  const system = {
    ...settings.system,
    port: process.env.PORT === undefined ? topology[name!]!.port : settings.system.port,
    databaseUrls: Object.fromEntries(databases.map((database) => [database, databaseUrls[database]])),
  };
  return [
    { ...settings, system },
    { place, demo: demo === true },
  ];
}
