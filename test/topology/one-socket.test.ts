// Processes that are given one socket, as systemd does it: one takes over from the other under load, and whoever comes while
// there is none waits for the next.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createClient, createTestDatabase } from "ashlar/testing";
import { eventually } from "../store-process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [users, catalog, orders] = await Promise.all([createTestDatabase(), createTestDatabase(), createTestDatabase()]);
const folder = await mkdtemp(join(tmpdir(), "ashlar-socket-"));
const socket = new net.BoundSocket({ host: "127.0.0.1", port: 0 });
const running: ChildProcess[] = [];
after(async () => {
  for (const child of running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  socket.close();
  await rm(folder, { recursive: true });
});

/** The store in one process, at the socket. */
function launch(): ChildProcess {
  const child = spawn(process.execPath, [join(root, "kernel/cli/ashlar.js"), "start"], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      ASHLAR_DATA: folder,
      USERS_DATABASE_URL: users.url,
      CATALOG_DATABASE_URL: catalog.url,
      ORDERS_DATABASE_URL: orders.url,
      LIMIT_ANONYMOUS: "off",
      LIMIT_AUTH: "off",
      DRAIN_LEAD: "5s",
      LISTEN_FDS: "1",
    },
    stdio: ["ignore", "pipe", "inherit", socket.fd()],
  });
  running.push(child);
  return child;
}

async function serves(child: ChildProcess): Promise<void> {
  let output = "";
  child.stdout!.on("data", (chunk) => (output += String(chunk)));
  await eventually(async () => output.includes('"msg":"Started"'), 60_000);
}

async function end(child: ChildProcess): Promise<number> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  return (await ended)[0] as number;
}

const { request } = createClient(`http://127.0.0.1:${socket.address().port}`);
let registered = 0;

async function use(): Promise<void> {
  const email = `user${++registered}@example.com`;
  const made = await request("POST", "/v1/users", { body: { email, password: "correct horse battery", name: "User" } });
  assert.equal(made.status, 201, made.text);
  assert.equal((await request("GET", "/v1/products")).status, 200);
}

test("a process ends while another one serves at its socket, and nobody who asks notices", async () => {
  const first = launch();
  await serves(first);
  await use();
  const second = launch();
  await serves(second);
  const ended = end(first);
  const state = { over: false };
  void ended.then(() => (state.over = true));
  while (!state.over) await use();
  assert.equal(await ended, 0);
  await use();

  // As `systemctl restart` does: nobody is there for a while.
  assert.equal(await end(second), 0);
  const asked = use();
  await serves(launch());
  await asked;
});
