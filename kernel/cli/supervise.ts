// `ashlar start --topology split`: all processes of a topology on this machine, each started again when it dies.
//
// It runs nothing of the app itself but the embedded PostgreSQL, the same as in one process and with the same
// data, and the NATS and Redis that are installed. What becomes of an app on many machines is the business of systemd or
// Kubernetes, which start `--process`.

import type { BoundSocket } from "node:net";
import { type Logger, systemClock, systemRandom } from "../base/index.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../data/index.ts";
import { bindSocket } from "../http/index.ts";
import { type AppSettings, createLogger, databaseVariable, processVariable, type Topology } from "../runtime/index.ts";
import { type Child, startChild } from "./child.ts";
import { awaitDatabases } from "./databases.ts";
import type { FoundApp } from "./find-app.ts";
import { waitForEnd } from "./life.ts";
import { type Plan, startServers } from "./servers.ts";
import { showHeading, showProgress, showWelcome } from "./welcome.ts";

const stopMs = 9_000;
/** What is left for the others when a gateway took all the time it had, and for PostgreSQL then. */
const othersMinMs = 1_500;

export async function supervise(
  { app, root }: FoundApp,
  settings: AppSettings,
  name: string,
  topology: Topology,
  plan: Plan,
): Promise<void> {
  const { definition } = app;
  const terminal = process.stdout.isTTY;
  const log = createLogger({ level: settings.logLevel, readable: terminal });
  const progress = (message: string) => (terminal ? showProgress(message) : log.info({}, message));
  const end = waitForEnd(systemClock, log);
  const startedAtMs = systemClock.nowMs();
  let ready = false;
  if (terminal) showHeading(definition);

  const say = (message: string) => (terminal ? showProgress(message) : log.warn({}, message));
  if (!(await awaitDatabases(settings.system.databaseUrls, { end, clock: systemClock, say }))) return process.exit(0);
  // A person reads the progress until all serve; whether the server of the databases is lost and back is worth a line.
  const info: Logger["info"] = (fields, message) => void (ready && log.info(fields, message));
  const ports = portsOf(topology, settings.system.port);
  // Only the gateway is for other machines.
  const hostOfProcess = (process: string) => (topology[process]!.gateway === true ? settings.system.host : "127.0.0.1");
  // First of all: when one is taken, nothing has to be stopped.
  const sockets = new Map<string, BoundSocket>();
  for (const process of Object.keys(topology))
    sockets.set(process, await bindSocket(hostOfProcess(process), ports[process]!));
  const postgres = await openPostgres(app, settings, { ...log, info }, progress);
  const lent = { path: process.env.PATH, random: systemRandom, log, onProgress: progress };
  const servers = await startServers({ settings, plan, ...lent }).catch(async (error: unknown) => {
    await postgres?.stop();
    throw error;
  });
  const environment = { ...environmentOf(topology, ports, settings, postgres), ...servers.environment };
  const children = Object.keys(topology).map((process) =>
    startChild({
      name: process,
      args: [
        "start",
        "--topology",
        name,
        "--process",
        process,
        ...servers.words,
        ...(postgres === undefined ? [] : ["--demo"]),
      ],
      folder: root,
      environment: { ...environment, PORT: String(ports[process]), HOST: hostOfProcess(process) },
      socket: sockets.get(process)!,
      readable: terminal,
      hushed: () => terminal && settings.logLevel === "info" && !ready,
      log,
    }),
  );
  const stop = async () => {
    // The gateway first, so that what it has taken finds its services.
    const [gateways, others] = [
      children.filter(({ name: one }) => topology[one]!.gateway),
      children.filter(({ name: one }) => !topology[one]!.gateway),
    ];
    const untilMs = systemClock.nowMs() + stopMs;
    const leadMs = settings.system.drainLeadMs;
    await Promise.all(gateways.map((child) => child.stop({ leadMs, withinMs: stopMs - othersMinMs })));
    // Nobody is left who would not have heard.
    const withinMs = Math.max(othersMinMs, untilMs - systemClock.nowMs()) - othersMinMs / 2;
    await Promise.all(others.map((child) => child.stop({ leadMs: 0, withinMs })));
    for (const socket of sockets.values()) socket.close();
    await servers.stop();
    await postgres?.stop();
  };
  try {
    progress(`Starting ${Object.keys(topology).join(", ")}`);
    const started = await Promise.race([Promise.all(children.map((child) => child.ready)), end.wait()]);
    ready = true;
    if (Array.isArray(started)) {
      const demo = started.flatMap((one) => one.demo);
      const gateway = children.find(({ name: one }) => topology[one]!.gateway)!;
      const url = `http://${hostOf(settings.system.host)}:${ports[gateway.name]}`;
      const services = definition.contracts.map((contract) => contract.name);
      const tookMs = systemClock.nowMs() - startedAtMs;
      if (terminal) showWelcome({ settings, url, demo, embedded: postgres !== undefined, services, root, tookMs });
      else
        log.info({ url, processes: Object.fromEntries(children.map((child) => [child.name, child.pid()])) }, "Started");
      restartOnSignal(children, log);
    }
    await end.wait();
  } finally {
    await stop();
  }
  log.info({}, "Stopped");
  process.exit(0);
}

/** SIGUSR2 asks for it: SIGHUP ends, since a terminal that is closed sends it. */
function restartOnSignal(children: readonly Child[], log: Logger): void {
  let restarting = Promise.resolve();
  process.on("SIGUSR2", () => {
    restarting = restarting.then(() =>
      restart(children, log).catch((err: unknown) =>
        log.error({ err }, "The restart was given up: what served before goes on"),
      ),
    );
  });
}

/** One process after the other, each with one beside it until that serves. */
async function restart(children: readonly Child[], log: Logger): Promise<void> {
  for (const child of children) {
    log.info({ process: child.name, pid: child.pid() }, "Restarting");
    await child.replace();
  }
  log.info({ processes: Object.fromEntries(children.map((child) => [child.name, child.pid()])) }, "Restarted");
}

async function openPostgres(
  { definition }: FoundApp["app"],
  { system }: AppSettings,
  log: Logger,
  onProgress: (message: string) => void,
): Promise<EmbeddedPostgres | undefined> {
  const missing = definition.contracts
    .map(({ database }) => database)
    .filter((one) => system.databaseUrls[one] === undefined);
  if (missing.length === 0) return undefined;
  return startEmbeddedPostgres({
    directory: system.dataDirectory,
    databases: missing.map((name) => ({ name })),
    log,
    clock: systemClock,
    random: systemRandom,
    onProgress,
  });
}

/** The gateway has PORT, and the others stand to it as in the topology. */
function portsOf(topology: Topology, port: number): Record<string, number> {
  const gateway = Object.values(topology).find((one) => one.gateway)!;
  return Object.fromEntries(Object.entries(topology).map(([name, one]) => [name, port + one.port - gateway.port]));
}

function environmentOf(
  topology: Topology,
  ports: Record<string, number>,
  { system: { databaseUrls, dataDirectory, peerTls } }: AppSettings,
  postgres: EmbeddedPostgres | undefined,
): Record<string, string | undefined> {
  const databases = Object.entries(databaseUrls).map(([name, url]) => [
    databaseVariable(name),
    url ?? postgres!.urlOf(name),
  ]);
  const processes = Object.entries(topology)
    .filter(([, { services }]) => services.length > 0)
    .map(([name]) => [processVariable(name), `${peerTls ? "https" : "http"}://127.0.0.1:${ports[name]}`]);
  return { ...process.env, ASHLAR_DATA: dataDirectory, ...Object.fromEntries([...databases, ...processes]) };
}

function hostOf(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
