// How a server leaves: first it says so and serves on, then it stops accepting, then it closes what is idle.

import { equal, match } from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { parseAnswer, startServer, type TestSocket } from "./raw-exchange.ts";
import type { HttpHandler } from "./server-state.ts";

const leadMs = 5_000;

const named: HttpHandler = (request, response) => void response.end(`answer to ${request.url}`);

async function ask({ socket, has }: TestSocket, path: string): Promise<void> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await has(`answer to ${path}`);
}

const said = ({ text }: TestSocket) => parseAnswer(text()).headers.get("Connection");

/** Whether somebody still accepts there. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  return once(socket, "connect").then(
    () => Boolean(socket.destroy()),
    () => false,
  );
}

test("during its lead a server that ends serves old connections and new ones, and asks each to close", async (context) => {
  const clock = createManualClock();
  const { open, server, port } = await startServer(context, named, { clock });
  const old = open();
  await ask(old, "/before");
  equal(said(old), "keep-alive");
  const drained = server.drain({ graceMs: 60_000, leadMs });
  await clock.advance(leadMs - 1);
  const late = open();
  await ask(late, "/late");
  equal(said(late), "close");
  await late.closed;
  await ask(old, "/again");
  await old.closed;
  equal(parseAnswer(old.text().slice(old.text().lastIndexOf("HTTP/1.1"))).headers.get("Connection"), "close");
  equal(await accepts(port), true);
  await clock.advance(1);
  equal(await accepts(port), false);
  await clock.advance(leadMs);
  equal(await drained, 0);
});

test("a client that was told to keep its connection, and asks on it in time, is served whenever the end was asked for", async (context) => {
  const clock = createManualClock();
  const mayEnd = Promise.withResolvers<void>();
  const { open, server, port } = await startServer(
    context,
    async (request, response) => {
      response.write("answer to ");
      if (request.url === "/long") await mayEnd.promise;
      response.end(request.url);
    },
    { clock },
  );
  const [long, half, other] = [open(), open(), open()];
  // Its head is out, and cannot be taken back.
  long.socket.write("GET /long HTTP/1.1\r\nHost: x\r\n\r\n");
  await long.has("answer to ");
  half.socket.write("GET /half HTTP/1.1\r\n");
  const drained = server.drain({ graceMs: 60_000, leadMs });
  await clock.advance(leadMs - 2_000);
  other.socket.write("GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
  await other.closed;
  mayEnd.resolve();
  await long.has("/long\r\n0");
  await clock.advance(leadMs - 1);
  equal(await accepts(port), false);
  long.socket.write("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  await long.closed;
  match(long.text(), /Connection: keep-alive[^]*\/long[^]*Connection: close[^]*\/next/);
  // Not idle, whenever it began.
  half.socket.write("Host: x\r\n\r\n");
  await half.closed;
  match(half.text(), /\/half/);
  equal(await drained, 0);
});

test("a connection on which nobody asks is closed when it has been idle for the lead, and ends nothing before", async (context) => {
  const clock = createManualClock();
  const { open, server } = await startServer(context, named, { clock });
  const silent = open();
  await ask(open(), "/there");
  let closed = false;
  void silent.closed.then(() => (closed = true));
  let ended = false;
  const drained = server.drain({ graceMs: 60_000, leadMs }).then(() => (ended = true));
  await clock.advance(leadMs - 1);
  equal([closed, ended].join(), "false,false");
  await clock.advance(1);
  await silent.closed;
  await drained;
});

test("a server that was replaced accepts nothing from the beginning, and serves the connections that it has", async (context) => {
  const clock = createManualClock();
  const { open, server, port } = await startServer(context, named, { clock });
  const old = open();
  await ask(old, "/before");
  const drained = server.drain({ graceMs: 60_000, leadMs, replaced: true });
  equal(await accepts(port), false);
  await clock.advance(leadMs - 1);
  await ask(old, "/again");
  await old.closed;
  equal(await drained, 0);
});
