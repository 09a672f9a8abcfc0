// `ashlar start --topology split`: all processes of a topology on this machine, each started again when it dies.
//
// It runs nothing of the app itself but the embedded PostgreSQL, the same as in one process and with the same
// data. What becomes of an app on many machines is the business of systemd or Kubernetes, which start `--process`.

import { type Logger, systemClock, systemRandom } from "../base/index.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../data/index.ts";
import { type AppSettings, createLogger, databaseVariable, processVariable, type Topology } from "../runtime/index.ts";
import { startChild } from "./child.ts";
import type { FoundApp } from "./find-app.ts";
import { waitForEnd } from "./life.ts";
import { showHeading, showProgress, showWelcome } from "./welcome.ts";

const stopMs = 9_000;

export async function supervise(
  { app, root }: FoundApp,
  settings: AppSettings,
  name: string,
  topology: Topology,
): Promise<void> {
  const { definition } = app;
  const terminal = process.stdout.isTTY;
  const log = createLogger({ level: settings.logLevel, readable: terminal });
  const progress = (message: string) => (terminal ? showProgress(message) : log.info({}, message));
  const end = waitForEnd(systemClock, log);
  const startedAtMs = systemClock.nowMs();
  let ready = false;
  if (terminal) showHeading(definition);

  // A person reads the progress until all serve; whether the server of the databases is lost and back is worth a line.
  const info: Logger["info"] = (fields, message) => void (ready && log.info(fields, message));
  const postgres = await openPostgres(app, settings, { ...log, info }, progress);
  const ports = portsOf(topology, settings.system.port);
  const environment = environmentOf(topology, ports, settings, postgres);
  const children = Object.entries(topology).map(([process, { gateway }]) =>
    startChild({
      name: process,
      args: ["start", "--topology", name, "--process", process, ...(postgres === undefined ? [] : ["--demo"])],
      folder: root,
      // Only the gateway is for other machines.
      environment: { ...environment, PORT: String(ports[process]), ...(gateway === true ? {} : { HOST: "127.0.0.1" }) },
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
    await Promise.all(gateways.map((child) => child.stop(stopMs)));
    await Promise.all(others.map((child) => child.stop(stopMs)));
    await postgres?.stop();
  };
  try {
    progress(`Starting ${Object.keys(topology).join(", ")}`);
    const started = await Promise.race([Promise.all(children.map((child) => child.ready)), end.wait()]);
    ready = true;
    if (started !== undefined) {
      const demo = started.flatMap((one) => one.demo);
      const gateway = children.find(({ name: one }) => topology[one]!.gateway)!;
      const url = `http://${hostOf(settings.system.host)}:${ports[gateway.name]}`;
      const services = definition.contracts.map((contract) => contract.name);
      const tookMs = systemClock.nowMs() - startedAtMs;
      if (terminal) showWelcome({ settings, url, demo, embedded: postgres !== undefined, services, root, tookMs });
      else
        log.info({ url, processes: Object.fromEntries(children.map((child) => [child.name, child.pid()])) }, "Started");
    }
    await end.wait();
  } finally {
    await stop();
  }
  log.info({}, "Stopped");
  process.exit(0);
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
