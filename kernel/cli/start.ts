// `ashlar start`: the app, until somebody ends it.
//
// On a terminal it talks to a person. Anywhere else stdout carries the log and nothing but the log, one
// JSON object a line, how it failed included.

import { type Logger, systemClock, systemRandom } from "../base/index.ts";
import {
  type AppSettings,
  type Beside,
  createLogger,
  type Place,
  type RunningSystem,
  startSystem,
} from "../runtime/index.ts";
import { requireFolder } from "./data-folder.ts";
import { awaitDatabases } from "./databases.ts";
import { describeError } from "./errors.ts";
import { findApp, type FoundApp, settingsOf } from "./find-app.ts";
import { liveThroughErrors, waitForEnd } from "./life.ts";
import { inheritedSocket } from "./inherited-socket.ts";
import { inProcess, topologyOf } from "./place.ts";
import { planOf, withoutServers } from "./servers.ts";
import { demoWarning, showHeading, showProgress, showWelcome, visibleUrl } from "./welcome.ts";

export interface StartOptions {
  /** One of the app's topologies; without it everything runs in one process. */
  topology?: string;
  /** One process of the topology; without it all of them are started, on this machine. */
  process?: string;
  /** Before what the environment and the file of topologies say. */
  bus?: Beside["bus"];
  cache?: Beside["cache"];
  /** For a process that was started together with its databases. */
  demo?: boolean;
}

export async function start(options: StartOptions = {}): Promise<void> {
  try {
    const found = await findApp();
    const settings = settingsOf(found);
    const topology = topologyOf(found.app, options);
    const plan = planOf(settings, options, found.app.beside?.[options.topology ?? ""]);
    if (topology === undefined) await run(found, settings);
    else if (options.process === undefined) {
      const { supervise } = await import("./supervise.ts");
      await requireFolder(settings.system);
      await supervise(found, settings, options.topology!, topology, plan);
    } else {
      const own = withoutServers(settings, plan, options.process);
      await run(found, ...inProcess(found.app, own, topology, options));
    }
  } catch (error) {
    fail(error);
  }
}

async function run(
  { app, root }: FoundApp,
  settings: AppSettings,
  { place, demo: always }: { place?: Place; demo?: boolean } = {},
): Promise<void> {
  const { definition } = app;
  const { system: systemSettings, demo, demoRemains, logLevel } = settings;
  const terminal = process.stdout.isTTY;
  let ready = false;
  const logger = createLogger({ level: logLevel, readable: terminal });
  // Until it serves, a person reads the progress; the log would tell the same at length.
  const log = terminal && logLevel === "info" ? withoutInfo(logger, () => !ready) : logger;
  const end = waitForEnd(systemClock, log);
  endWithSupervisor();
  const startedAtMs = systemClock.nowMs();
  const listenFd = inheritedSocket();

  if (terminal) showHeading(definition);
  await requireFolder(systemSettings);
  const say = (message: string) => (terminal ? showProgress(message) : log.warn({}, message));
  if (!(await awaitDatabases(systemSettings.databaseUrls, { end, clock: systemClock, say }))) return process.exit(0);
  const starting = startSystem({
    definition: { ...definition, ...(demo && { demo: demo.fill }), ...(demoRemains && { demoRemains }) },
    settings: systemSettings,
    clock: systemClock,
    random: systemRandom,
    log,
    demo: demo !== undefined && (always === true ? "always" : place === undefined),
    ...(place === undefined ? {} : { place }),
    ...(listenFd === undefined ? {} : { listenFd }),
    onProgress: (message) => (terminal ? showProgress(message) : log.info({}, message)),
  });
  const started = starting.catch((error: unknown) => {
    throw hostTrouble(error, systemSettings.host) ?? error;
  });
  // A process that waits for another one has nothing yet that must be ended in order, no PostgreSQL of its own either.
  const system = await (place === undefined ? started : Promise.race([started, end.wait().then(() => undefined)]));
  if (system === undefined) return process.exit(0);
  ready = true;
  liveThroughErrors(log);
  // Nobody tries an app out in production: there people wait for their mail.
  if (systemSettings.smtp === undefined && demo === undefined)
    log.warn({}, "SMTP_URL is not set: mails are kept and not sent; `ashlar mail` shows them");

  if (!end.asked()) {
    if (terminal)
      showWelcome({
        ...system,
        settings,
        services: [...system.services.keys()],
        root,
        tookMs: systemClock.nowMs() - startedAtMs,
      });
    else {
      const warning = demoWarning(systemSettings.host, system.demo);
      if (warning !== undefined) log.warn({}, warning);
      log.info(factsOf(system, settings, place?.gateway !== false), "Started");
    }
  }
  // Who started it as one of several waits for this.
  if (process.connected) process.send?.({ demo: system.demo });
  await system.stop(await end.wait());
  log.info({}, "Stopped");
  process.exit(0);
}

/** Without who started it as one of several nobody would stop it; and it may be gone before this one serves, or reads this. */
function endWithSupervisor(): void {
  const stop = () => process.kill(process.pid, "SIGTERM");
  process.once("disconnect", stop);
  // Undefined in a process that nobody started so.
  if ((process.connected as boolean | undefined) === false) stop();
}

function withoutInfo(log: Logger, hidden: () => boolean): Logger {
  const info: Logger["info"] = (fields, message) => hidden() || log.info(fields, message);
  return { ...log, info, child: (fields) => withoutInfo(log.child(fields), hidden) };
}

function factsOf(system: RunningSystem, { system: { dataDirectory } }: AppSettings, isGateway: boolean) {
  const url = visibleUrl(system.url);
  return {
    url,
    ...(isGateway ? { docs: `${url}/docs` } : {}),
    dataDirectory,
    embeddedPostgres: system.embedded,
    services: [...system.services.keys()],
  };
}

function hostTrouble(cause: unknown, host: string): Error | undefined {
  const { address, hostname } = cause as { address?: string; hostname?: string };
  if (address !== host && hostname !== host) return undefined;
  return new Error(
    `${host} is no address of this machine. Choose another with HOST: 127.0.0.1 for this machine alone, 0.0.0.0 for everybody who can reach it.`,
    { cause },
  );
}

/** Nothing runs any more, but a timer of what did might keep the process. */
function fail(error: unknown): never {
  const reason = describeError(error);
  if (!process.stdout.isTTY) createLogger({ level: "error", readable: false }).error({ reason }, "The start failed");
  if (process.stdout.isTTY || process.stderr.isTTY) process.stderr.write(`ashlar: ${reason}\n`);
  process.exit(1);
}
