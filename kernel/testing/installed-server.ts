// A server for tests that is not ours: found in the PATH, started on a free port, killed and paused as tests like.

import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, join } from "node:path";

export function findBinary(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Free a moment ago: a server that cannot take any free port by itself fails loudly if it no longer is. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when it has said `readyText`; rejects with what it said when it ended instead. */
export function startServer(binary: string, options: readonly string[], readyText: string): Promise<ChildProcess> {
  const server = spawn(binary, options, { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let said = "";
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (!said.includes(readyText)) return;
      for (const stream of [server.stdout, server.stderr]) stream.off("data", hear).resume();
      // It does not keep the test run from ending, and is ended with it.
      server.unref();
      for (const stream of [server.stdout, server.stderr]) (stream as unknown as { unref(): void }).unref();
      resolve(server);
    };
    server.stdout.on("data", hear);
    server.stderr.on("data", hear);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`${binary} ended with ${code}: ${said}`)));
  });
}

/** Ends it at once, as `kill -9` does. Safe to repeat. */
export function killServer(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.ref();
    server.once("exit", () => resolve());
    server.kill("SIGKILL");
  });
}
