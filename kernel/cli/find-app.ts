// The app a command is about: the nearest package.json, from the working directory upwards, that names one.

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { App, AppSettings } from "../runtime/index.ts";

export interface FoundApp {
  readonly app: App;
  /** The folder of the package.json. */
  readonly root: string;
  /** The module of the app; its services lie in `services/` beside it. */
  readonly file: string;
}

export async function findApp(directory = process.cwd()): Promise<FoundApp> {
  const { root, file } = await findModule(directory);
  const { default: app } = (await import(pathToFileURL(file).href).catch((cause: unknown) => {
    throw new Error(`${file} cannot be loaded: ${(cause as Error).message}`, { cause });
  })) as { default?: Partial<App> };
  if (app?.definition === undefined || app.variables === undefined || typeof app.readSettings !== "function") {
    throw new Error(
      `${file} does not export an app. Export one by default: { definition, variables, readSettings } (type App of ashlar/runtime).`,
    );
  }
  return { app: app as App, root, file };
}

async function findModule(directory: string): Promise<{ root: string; file: string }> {
  for (let root = directory; ; root = dirname(root)) {
    const path = resolve(root, "package.json");
    const text = await readFile(path, "utf8").catch(() => undefined);
    const named = text === undefined ? undefined : appOf(text, path);
    if (named !== undefined) return { root, file: resolve(root, named) };
    if (root === dirname(root)) {
      throw new Error(
        `There is no Ashlar app in ${directory} or above it. Name its module in package.json: "ashlar": { "app": "main.ts" }.`,
      );
    }
  }
}

function appOf(text: string, path: string): string | undefined {
  let manifest: { ashlar?: { app?: unknown } } | null;
  try {
    manifest = JSON.parse(text) as typeof manifest;
  } catch (cause) {
    throw new Error(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const app = manifest?.ashlar?.app;
  if (app === undefined || typeof app === "string") return app;
  throw new Error(`In ${path}, "ashlar": { "app" } must be the path of a module.`);
}

/** The settings of an app as this process's environment has them. */
export function settingsOf({ app, root }: FoundApp): AppSettings {
  const settings = app.readSettings(process.env);
  const dataDirectory = resolve(root, settings.system.dataDirectory);
  const { peerTls } = settings.system;
  // As the data folder, they are meant from the folder of the app, wherever the command is given.
  const files = peerTls && {
    PEER_TLS_CERT: resolve(root, peerTls.PEER_TLS_CERT),
    PEER_TLS_KEY: resolve(root, peerTls.PEER_TLS_KEY),
    PEER_TLS_CA: resolve(root, peerTls.PEER_TLS_CA),
  };
  return { ...settings, system: { ...settings.system, dataDirectory, peerTls: files } };
}
