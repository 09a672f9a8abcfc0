// Somebody else can reach the same NATS: other applications, old versions, whoever has stolen a password.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { type Logger, silentLogger } from "../../base/index.ts";
import type { Envelope } from "../../contract/index.ts";
import { needsNats, startTestNats } from "../../testing/index.ts";
import type { Outcome } from "../bus.ts";
import { impatient, newSystem, openBus, startNatsForFile } from "./fixture.ts";
import { namesOf } from "./names.ts";
import { createNatsBus } from "./nats-bus.ts";

const server = await startNatsForFile();

const event: Envelope = {
  id: "evt_01h455vb4pex5vsknk084sn02q",
  type: "order.created",
  aggregateId: "ord_01h455vb4pex5vsknk084sn02q",
  timestamp: "2026-01-01T10:00:00.000Z",
  version: 1,
  data: { total: 99.99 },
};
const confirmed: Outcome[] = [{ id: event.id, state: "confirmed" }];

function listen() {
  const lines: string[] = [];
  const write = (fields: object, message: string) => {
    const { err } = fields as { err?: Error };
    lines.push(
      `${message} ${JSON.stringify(fields)} ${err?.message} ${err?.stack} ${JSON.stringify(err?.cause ?? "")}`,
    );
  };
  const log: Logger = { debug: write, info: write, warn: write, error: write, child: () => log };
  return { log, lines };
}

async function openStranger(t: TestContext): Promise<NatsConnection> {
  const stranger = await connect({ servers: server.url });
  t.after(() => stranger.close());
  return stranger;
}

/** Everything that passes on the subjects of a system, headers and all, with a promise of the next one. */
function overhear(stranger: NatsConnection, subject: string) {
  const heard: { subject: string; data: Uint8Array; headers: ReturnType<typeof headers> }[] = [];
  stranger.subscribe(subject, {
    callback: (_, { subject: at, data, headers: with_ }) => void heard.push({ subject: at, data, headers: with_! }),
  });
  return heard;
}

const garbage: Uint8Array[] = [
  new Uint8Array(0),
  Buffer.from("{"),
  Buffer.from("null"),
  Buffer.from('{"id":"evt_01h455vb4pex5vsknk084sn02q"}'),
  Buffer.from([0xff, 0xfe, 0x00, 0x80]),
  Buffer.from(JSON.stringify(event)),
  Buffer.from("[".repeat(200_000)),
  new Uint8Array(900_000),
];

test(
  "garbage on the subjects of events is thrown away, has no effect, and holds nothing back",
  needsNats,
  async (t) => {
    const system = newSystem();
    const { log, lines } = listen();
    const bus = await openBus(t, server, { system, log });
    const received: Envelope[] = [];
    bus.subscribe("catalog", async (events) => {
      received.push(...events);
      return confirmed;
    });
    deepEqual(await bus.deliver("catalog", [event]), confirmed);

    const stranger = await openStranger(t);
    const names = namesOf(system);
    const subjects = [
      `ashlar.${system}.events.catalog.order.created`,
      `ashlar.${system}.events.catalog.${"x".repeat(2_000)}`,
    ];
    for (const payload of garbage) {
      for (const subject of subjects) {
        stranger.publish(subject, payload);
        const forged = headers();
        forged.set("Ashlar-Delivery", "a".repeat(22));
        // Whoever believed it would answer to the API of the stream.
        forged.set("Ashlar-Sender", "$JS.API.STREAM.DELETE.ashlar");
        forged.set("Ashlar-Seal", "é".repeat(1_000));
        forged.set("Nats-Msg-Id", String(garbage.indexOf(payload)));
        stranger.publish(subject, payload, { headers: forged });
      }
    }
    await stranger.flush();
    deepEqual(await bus.deliver("catalog", [event]), confirmed);
    equal(received.length, 2);
    const { streams } = await jetstreamManager(stranger);
    while ((await streams.info(names.stream)).state.messages > 0);
    equal(
      lines.filter((line) => line.startsWith("Believing what comes")).length,
      2,
      "said when it began and when it ended",
    );
  },
);

test(
  "an event that was overheard is not believed elsewhere, changed, or with another address",
  needsNats,
  async (t) => {
    const system = newSystem();
    const stranger = await openStranger(t);
    const heard = overhear(stranger, `ashlar.${system}.events.>`);
    await stranger.flush();
    const bus = await openBus(t, server, { system });
    const received: string[] = [];
    for (const subscriber of ["catalog", "identity"])
      bus.subscribe(subscriber, async (events) => {
        received.push(...events.map(({ id }) => `${subscriber} ${id}`));
        return events.map(({ id }) => ({ id, state: "confirmed" }));
      });
    await bus.deliver("catalog", [event]);
    await stranger.flush();
    const { subject, data, headers: sealed } = heard[0]!;
    const changed = headers();
    for (const key of sealed.keys()) changed.set(key, key === "Ashlar-Sender" ? "b".repeat(22) : sealed.get(key));
    changed.delete("Nats-Msg-Id");
    const copied = headers();
    for (const key of sealed.keys()) if (key.startsWith("Ashlar")) copied.set(key, sealed.get(key));
    stranger.publish(subject.replace("catalog", "identity"), data, { headers: copied });
    stranger.publish(subject, Buffer.from(Buffer.from(data).toString().replace("99.99", "00.99")), { headers: copied });
    stranger.publish(subject, data, { headers: changed });
    await stranger.flush();
    const other = { ...event, id: "evt_01h455vb4pex5vsknk084sn03q" };
    await bus.deliver("identity", [other]);
    await bus.deliver("catalog", [other]);
    deepEqual(received.toSorted(), [`catalog ${event.id}`, `catalog ${other.id}`, `identity ${other.id}`]);
  },
);

test("nobody but the subscriber can confirm an event: forged outcomes are not heard", needsNats, async (t) => {
  const system = newSystem();
  const stranger = await openStranger(t);
  const heard = overhear(stranger, `ashlar.${system}.events.>`);
  const outcomes = overhear(stranger, `ashlar.${system}.outcomes.>`);
  await stranger.flush();
  const bus = await openBus(t, server, { system, limits: impatient });
  const lost = bus.deliver("catalog", [event]);
  while (heard.length === 0) await stranger.flush();
  const sender = heard[0]!.headers.get("Ashlar-Sender");
  const delivery = heard[0]!.headers.get("Ashlar-Delivery");
  const forge = (payload: Uint8Array, seal?: string) => {
    const forged = headers();
    if (seal !== undefined) forged.set("Ashlar-Seal", seal);
    stranger.publish(`ashlar.${system}.outcomes.${sender}`, payload, { headers: forged });
  };
  forge(Buffer.from(JSON.stringify({ delivery, answer: confirmed[0] })));
  for (const payload of garbage) forge(payload, heard[0]!.headers.get("Ashlar-Seal"));
  await stranger.flush();
  await rejects(lost, /did not say in time/);

  // A true one of before says nothing about the next time.
  const leave = bus.subscribe("catalog", async () => confirmed);
  await bus.deliver("catalog", [event]);
  leave();
  await stranger.flush();
  const again = bus.deliver("catalog", [event]);
  while (heard.length < 3) await stranger.flush();
  // The true ones, and the forged ones that were overheard as well.
  ok(outcomes.length > garbage.length);
  for (const { data, headers: sealed } of [...outcomes]) forge(data, sealed?.get("Ashlar-Seal"));
  await stranger.flush();
  await rejects(again, /did not say in time/);
});

test("a process with another secret is a stranger, and neither side takes harm", needsNats, async (t) => {
  const system = newSystem();
  const { log, lines } = listen();
  const bus = await openBus(t, server, { system, limits: impatient });
  const other = await openBus(t, server, { system, log, secret: Buffer.from("another") });
  let received = 0;
  other.subscribe("catalog", async () => {
    received += 1;
    return confirmed;
  });
  await rejects(bus.deliver("catalog", [event]), /did not say in time/);
  equal(received, 0);
  ok(lines.some((line) => /no process of this system with this secret/.test(line)));
});

test("a stream of that name that is not ours is left alone, and the bus says what to do", needsNats, async (t) => {
  const system = newSystem();
  const stranger = await openStranger(t);
  const { streams } = await jetstreamManager(stranger);
  await streams.add({ name: `ashlar-${system}`, subjects: [`${system}.>`], retention: RetentionPolicy.Limits });
  const bus = await openBus(t, server, { system });
  await rejects(bus.ping(), /was not made by Ashlar. Delete it/);
  await rejects(bus.deliver("catalog", [event]), /was not made by Ashlar/);
  await streams.delete(`ashlar-${system}`);
  bus.subscribe("catalog", async () => confirmed);
  deepEqual(await bus.deliver("catalog", [event]), confirmed);
  ok((await bus.ping()) >= 0);
});

test(
  "an event that is too large for this NATS waits with its aggregate, and the others go on",
  needsNats,
  async (t) => {
    const small = await startTestNats({ maxPayloadBytes: 64 * 1024 });
    t.after(() => small.stop());
    const { log, lines } = listen();
    const bus = await openBus(t, small, { log });
    const received: string[] = [];
    bus.subscribe("catalog", async (events) => {
      received.push(...events.map(({ id }) => id));
      return events.map(({ id }) => ({ id, state: "confirmed" }));
    });
    const large = { ...event, data: { note: "n".repeat(64 * 1024) } };
    const behind = { ...event, id: "evt_01h455vb4pex5vsknk084sn03q" };
    const other = { ...event, id: "evt_01h455vb4pex5vsknk084sn04q", aggregateId: "ord_other" };
    const outcomes = await bus.deliver("catalog", [large, behind, other]);
    deepEqual(
      outcomes.map(({ id, state }) => [id, state]),
      [
        [large.id, "retry"],
        [behind.id, "retry"],
        [other.id, "confirmed"],
      ],
    );
    deepEqual(received, [other.id]);
    ok(
      outcomes[0]!.state === "retry" &&
        /raise its max_payload/.test(outcomes[0]!.reason) &&
        outcomes[0]!.afterMs >= 60_000,
    );
    ok(lines.some((line) => line.includes("too large for this NATS")));
  },
);

test("neither a password that is right nor one that is wrong is written into the log", needsNats, async (t) => {
  const guarded = await startTestNats({ user: "ashlar", password: "s3cret:/@" });
  t.after(() => guarded.stop());
  const { log, lines } = listen();
  const right = await openBus(t, guarded, { log });
  ok((await right.ping()) >= 0);
  const wrong = await openBus(t, guarded, { log, url: guarded.url.replace(/:[^:]*@/, ":hunter2@") });
  await rejects(wrong.ping(), { status: 503 });
  await guarded.kill();
  while (
    !(await right.ping().then(
      () => false,
      () => true,
    ))
  );
  await Promise.all([right.close(), wrong.close()]);
  ok(
    lines.some((line) => /Authorization Violation/i.test(line)),
    lines.join("\n"),
  );
  equal(/s3cret|hunter2/.test(lines.join("\n")), false);
  await rejects(
    createNatsBus({
      url: "http://ashlar:hunter2@host",
      system: "x",
      secret: Buffer.from(""),
      clock: undefined as never,
      random: undefined as never,
      log: silentLogger,
    }),
    (error: Error) => !error.message.includes("hunter2"),
  );
});

test(
  "a user of NATS who may do no more than the decision page says can do everything that is needed",
  needsNats,
  async (t) => {
    const system = newSystem();
    const guarded = await startTestNats({
      user: "ashlar",
      password: "ashlar",
      permissions: {
        publish: [`ashlar.${system}.>`, "$JS.API.>", "$JS.ACK.>"],
        subscribe: [`ashlar.${system}.outcomes.>`, "_INBOX.>"],
      },
    });
    t.after(() => guarded.stop());
    const { log, lines } = listen();
    const bus = await openBus(t, guarded, { system, log });
    const other = await openBus(t, guarded, { system, log });
    other.subscribe("catalog", async () => confirmed);
    deepEqual(await bus.deliver("catalog", [event]), confirmed);
    ok((await bus.ping()) >= 0);
    deepEqual(lines, []);
    // And one who may not says so.
    const elsewhere = await openBus(t, guarded, { system: "elsewhere", log, limits: impatient });
    await rejects(elsewhere.deliver("catalog", [event]));
    ok(
      lines.some((line) => /permissions violation/i.test(line)),
      lines.join("\n"),
    );
  },
);
