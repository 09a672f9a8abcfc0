// On what was measured.

import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import { hasTaskset } from "./processes.ts";
import { generator } from "./load.ts";

export function describeMachine(postgres: string | undefined, serverCore: number, loadCore: number): string[] {
  const [cpu] = cpus();
  const isPinned = hasTaskset && serverCore !== loadCore;
  return [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${postgres === undefined ? "" : `PostgreSQL ${postgres}, `}${generator} ${versionOf(generator)}, Linux ${release()}`,
    `${cpus().length} cores (${cpu?.model ?? "unknown"}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, load at the start ${loadavg()[0]!.toFixed(2)}`,
    isPinned
      ? `The server runs on core ${serverCore}, PostgreSQL and the load on core ${loadCore}.`
      : "Everything runs on all cores: there is no taskset, or only one core. Targets that use several have an advantage.",
    "Token, limit headers and validation are on, request logs are off; commits are flushed to disk.",
  ];
}

function versionOf(program: string): string {
  if (program !== "wrk") return "from bench/peers/load";
  try {
    return execFileSync("sh", ["-c", "wrk -v 2>&1 || true"], { encoding: "utf8" }).split(" ")[1] ?? "";
  } catch {
    return "";
  }
}
