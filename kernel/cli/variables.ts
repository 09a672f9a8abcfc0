// `ashlar config`: every variable of the environment, what it means, and what holds without it.

import type { App } from "../runtime/index.ts";
import { findApp } from "./find-app.ts";

export async function printVariables(): Promise<void> {
  const { app } = await findApp();
  process.stdout.write(describeVariables(app.variables));
}

export function describeVariables(variables: App["variables"]): string {
  const width = Math.max(...Object.keys(variables).map((name) => name.length));
  return Object.entries(variables)
    .map(
      ([name, { meaning, fallback }]) =>
        `${name.padEnd(width)}  ${meaning}${fallback === undefined ? "" : ` (default: ${fallback})`}\n`,
    )
    .join("");
}
