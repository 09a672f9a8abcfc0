// A server for tests that is not ours: found in the PATH, started on a free port, killed and paused as tests like.

import { type ChildProcess, spawn } from "node:child_process";

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
