import { equal, match, rejects } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../base/index.ts";
import { keepServer } from "./kept-server.ts";

const file = fileURLToPath(new URL("./kept-server.ts", import.meta.url));
/** Says its pid, then works until it is ended. */
const server = ["/bin/sh", "-c", "echo ready $$; exec sleep 1000"];

test("a server ends with who keeps it, also when that is killed", async () => {
  const keeper = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { keepServer } from ${JSON.stringify(file)};
       const log = { ...console, debug: (_, line) => console.log(line), child: () => log };
       await keepServer({ name: "one", command: ${JSON.stringify(server)}, readyText: "ready", log });
       setInterval(() => {}, 1000);`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = (await once(createInterface({ input: keeper.stdout }), "line")) as [string];
  match(line, /^ready \d+$/);
  const pid = Number(line.split(" ")[1]);
  process.kill(pid, 0);
  // The server's end of its output: it closes when the server and its guard are gone.
  const gone = once(keeper.stdout, "close");
  keeper.kill("SIGKILL");
  await gone;
  await ended(pid);
});

test("a server that is stopped is gone when that is done", async () => {
  let pid = 0;
  const log = { ...silentLogger, debug: (_: object, line: string) => void (pid = Number(line.split(" ")[1])) };
  const kept = await keepServer({ name: "one", command: server, readyText: "ready", log });
  process.kill(pid, 0);
  await kept.stop();
  equal(isAlive(pid), false);
});

test("one that never is ready is refused with what it said", async () => {
  const command = ["/bin/sh", "-c", "echo the port is taken; exit 1"];
  await rejects(keepServer({ name: "one", command, readyText: "ready", log: silentLogger }), /the port is taken/);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Resolves when it is gone; the test's own time limit is the only one. */
async function ended(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
}
