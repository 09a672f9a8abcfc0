import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import type { StopOptions } from "../runtime/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { awaitDatabases } from "./databases.ts";

const { url } = await createTestDatabase();

/** Where no PostgreSQL listens until `arrive`. */
async function aPlaceForPostgres() {
  const { hostname, port } = new URL(url);
  const server = createServer((socket) => {
    const behind = connect(Number(port), hostname);
    socket.pipe(behind).pipe(socket);
    for (const one of [socket, behind]) one.on("error", () => {});
  });
  const listen = async (at: number) => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const free = await listen(0);
  await new Promise((resolve) => server.close(resolve));
  const place = new URL(url);
  place.host = `127.0.0.1:${free}`;
  return {
    url: place.href,
    arrive: () => listen(free),
    leave: () => server.close(),
  };
}

function anEnd() {
  const { promise, resolve } = Promise.withResolvers<StopOptions>();
  let asked = false;
  return {
    asked: () => asked,
    wait: () => promise,
    ask() {
      asked = true;
      resolve({});
    },
  };
}

test("a start waits for a database that is not there, says so at first and then rarely, and goes on when it comes", async () => {
  const place = await aPlaceForPostgres();
  const clock = createManualClock();
  const said: string[] = [];
  const state = { waited: undefined as boolean | undefined };
  const waiting = awaitDatabases(
    { notes: place.url, others: undefined },
    { end: anEnd(), clock, say: (message) => said.push(message) },
  ).then((there) => (state.waited = there));
  const startMs = clock.nowMs();
  while (said.length < 2) await clock.advance(250);
  equal(clock.nowMs() - startMs >= 30_000, true);
  match(said[0]!, /^Waiting: The database of "notes" \(.* at 127\.0\.0\.1:\d+\) cannot be used: .*ECONNREFUSED/);
  equal(state.waited, undefined);
  await place.arrive();
  while (state.waited === undefined) await clock.advance(250);
  equal(await waiting, true);
  place.leave();
});

test("who waits for a database can be asked to end", async () => {
  const place = await aPlaceForPostgres();
  const end = anEnd();
  const clock = createManualClock();
  const asked = { end: end.ask };
  const waiting = awaitDatabases({ notes: place.url }, { end, clock, say: () => asked.end() });
  equal(await waiting, false);
});

test("what waiting does not mend is refused at once, and named alone", async () => {
  const place = await aPlaceForPostgres();
  const wrong = new URL(url);
  wrong.pathname = "/no_such_database";
  const said: string[] = [];
  const options = { end: anEnd(), clock: createManualClock(), say: (message: string) => void said.push(message) };
  await rejects(
    awaitDatabases({ notes: wrong.href, books: place.url }, options),
    /^Error: The database of "notes" \(no_such_database at .*\) cannot be used: .*does not exist$/,
  );
  deepEqual(said, []);
});
