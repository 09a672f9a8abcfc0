// `ashlar dev`: start, and start again whenever a file that was loaded changes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("./ashlar.js", import.meta.url));

/** Node's own watcher does the work. It asks for the end with SIGTERM and waits, so every stop is a clean one. */
export async function develop(): Promise<void> {
  const watcher = spawn(process.execPath, ["--watch", "--watch-preserve-output", command, "start"], {
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => watcher.kill(signal));
  const [code] = (await once(watcher, "exit")) as [number | null];
  process.exitCode = code ?? 0;
}
