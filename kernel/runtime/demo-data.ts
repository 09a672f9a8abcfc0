// Data to try an app out with: filled in where it may be, refused where it would let others in.

import type { RunningService } from "../service/index.ts";
import type { Platform, SystemOptions } from "./definition.ts";

export async function fillDemo(
  { definition, onProgress }: SystemOptions,
  services: ReadonlyMap<string, RunningService>,
  platform: Platform,
) {
  if (definition.demo === undefined) return [];
  onProgress?.("Checking the demo data");
  return definition.demo((name) => services.get(name)?.contextFor("demo data"), platform);
}

export async function refuseDemoData(
  { definition }: SystemOptions,
  services: ReadonlyMap<string, RunningService>,
  platform: Platform,
) {
  const contextOf = (name: string) => services.get(name)?.contextFor("demo data");
  const remains = (await definition.demoRemains?.(contextOf, platform)) ?? [];
  if (remains.length === 0) return;
  throw new Error(
    `There is demo data that anybody knows: ${remains.join(", ")}. In production the app does not start on it: choose another ASHLAR_DATA or database, or start without NODE_ENV=production and change or delete it.`,
  );
}
