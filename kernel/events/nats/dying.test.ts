// A subscriber's process is killed between the effect and its confirmation: a real process, and a real kill -9.

import { deepEqual, equal } from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { silentLogger, systemClock, systemRandom } from "../../base/index.ts";
import { createDatabase } from "../../data/index.ts";
import { createTestDatabase } from "../../testing/postgres.ts";
import { needsNats, startTestNats } from "../../testing/index.ts";
import { createListener, createWorld, openDatabase, stepped, tables } from "../fixture.ts";
import { createInbox } from "../inbox.ts";
import { newSystem, openBus, secret } from "./fixture.ts";
import { createNatsBus } from "./nats-bus.ts";

const limits = { ackWaitMs: 300, outcomeTimeoutMs: 60_000 };

if (process.argv[2] === "doomed") await subscribeAndDie(process.argv[3]!, process.argv[4]!, process.argv[5]!);
else await testDying();

/** In a child: lets the effect commit, and dies before anybody hears of it. */
async function subscribeAndDie(natsUrl: string, databaseUrl: string, system: string): Promise<void> {
  const base = { clock: systemClock, random: systemRandom, log: silentLogger };
  const database = createDatabase({ ...base, url: databaseUrl });
  const bus = await createNatsBus({ ...base, url: natsUrl, system, secret, limits });
  const handlers = new Map([[stepped.type, createListener().handler]]);
  const inbox = createInbox({ ...base, service: "catalog", database, handlers });
  bus.subscribe("catalog", async (events) => {
    const outcomes = await inbox.receive(events);
    process.kill(process.pid, "SIGKILL");
    return outcomes;
  });
  process.send!("ready");
}

async function testDying(): Promise<void> {
  const { url } = await createTestDatabase(tables);
  const database = openDatabase({ url });

  for (const takesOver of ["another process", "the relay, which sends again"])
    test(`what a subscriber died over goes on with ${takesOver}, and has its effect once`, needsNats, async (t) => {
      const server = await startTestNats();
      t.after(() => server.stop());
      const system = newSystem();
      const byRelay = takesOver !== "another process";
      // Where the relay has to see to it, the stream gives a message out once only.
      const bus = await openBus(t, server, {
        system,
        limits: byRelay ? { ...limits, deliverMax: 1, outcomeTimeoutMs: 1_000 } : limits,
      });
      const world = await createWorld(database, { bus });
      const doomed = fork(import.meta.filename, ["doomed", server.url, url, system]);
      await once(doomed, "message");

      await world.emitAll(["ord_a", 1], ["ord_a", 2]);
      const relay = world.createRelay();
      const delivered = relay.runOnce();
      const [, signal] = (await once(doomed, "exit")) as [number | null, string | null];
      equal(signal, "SIGKILL");
      deepEqual(await world.effects(), ["ord_a/1"], "committed, and confirmed to nobody");
      equal(await world.count("pending"), 2);

      bus.subscribe("catalog", world.createInbox().receive);
      equal(await delivered, byRelay ? 0 : 2);
      if (byRelay) {
        await world.clock.advance(1_000);
        equal(await relay.runOnce(), 2);
      }
      deepEqual(await world.effects(), ["ord_a/1", "ord_a/2"]);
      equal(await world.count("pending"), 0);
    });
}
