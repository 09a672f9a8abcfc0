import { equal, ok } from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readlinkSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { clearLeftovers, redisPidFile, temporaryPrefix } from "./leftovers.ts";
import { needsRedis, startTestRedis } from "./redis.ts";

if (process.argv[2] === "a run") {
  await startTestRedis();
  // Keeps it alive; a server does not.
  process.on("message", () => {});
  process.send!("started");
} else {
  for (const [how, signal] of [
    ["told to end takes its servers with it", "SIGTERM"],
    ["killed leaves them behind for the next one to clear away", "SIGKILL"],
  ] as const) {
    test(`a run that is ${how}`, needsRedis, async () => {
      const run = fork(import.meta.filename, ["a run"], { execArgv: [] });
      await once(run, "message");
      const directory = await folderOf(run.pid!);
      const pid = Number(await readFile(join(directory, redisPidFile), "utf8"));
      equal(isRunning(pid), true);
      run.kill(signal);
      await once(run, "exit");
      if (signal === "SIGKILL") {
        equal(isRunning(pid), true);
        await clearLeftovers();
      }
      equal(existsSync(directory), false);
      // Killed, it is gone as soon as the system has seen to it.
      while (isRunning(pid)) await new Promise((resolve) => setImmediate(resolve));
    });
  }

  test("what belongs to a run that lives is left alone", needsRedis, async (t) => {
    const server = await startTestRedis();
    t.after(() => server.stop());
    await clearLeftovers();
    ok(existsSync(await folderOf(process.pid)));
  });
}

async function folderOf(pid: number): Promise<string> {
  const name = (await readdir(tmpdir())).find((one) => one.startsWith(`${temporaryPrefix}${pid}-redis-`));
  return join(tmpdir(), name!);
}

/** What has ended and is not yet buried does not run. */
function isRunning(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return true;
  } catch {
    return false;
  }
}
