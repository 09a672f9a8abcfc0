// What a call between services costs: in one process, and over loopback between two servers of it, by HTTP and on a
// connection that is kept.
//
//   npm run bench:calls [-- calls]
//
// All go through everything that calls go through: contract, copies, deadline, retries, breaker, bulkhead. The called
// operation only answers, so that nothing but the call is measured: a stock reservation of three lines. One call
// at a time, in turns; ends with 1 unless the local p50 stays below 20 us and 20 times below that of HTTP. Then many at a time,
// for the processor time of a call: of both sides, which are in one process here.

import { silentLogger, systemClock, systemRandom } from "ashlar/base";
import { type CallTarget, createCalls, createDeadline, createDependencies, createRemoteTarget } from "ashlar/call";
import { id, integer, list, money, object, post, service, servicesOnly, text } from "ashlar/contract";
import { createPostgresBus } from "ashlar/events";
import { createPeerHandler, createPeerUpgrade } from "ashlar/gateway";
import { createHttpServer } from "ashlar/http";
import { createPeerTokens, createWire } from "ashlar/peer";
import type { RunningService } from "ashlar/service";

const calls = Number(process.argv[2] ?? 20_000);
const turns = 5;
const atATime = 50;
const goals = { localUs: 20, times: 20 };

const line = object({ productId: id("prd"), sku: text({ max: 64 }), name: text({ max: 200 }), unitPrice: money() });
const catalog = service("catalog", {
  database: "catalog",
  summary: "Products",
  versions: [{ number: 1 }],
  operations: {
    reserveStock: post("/stock/reservations", {
      summary: "Set stock aside",
      body: object({
        orderId: id("ord"),
        items: list(object({ productId: id("prd"), quantity: integer({ min: 1, max: 999 }) }), { min: 1, max: 100 }),
      }),
      returns: object({ items: list(line, { max: 100 }) }),
      status: 200,
      access: servicesOnly,
      repeatable: true,
      timeoutMs: 2_000,
    }),
  },
});
const productIds = [
  "prd_01h455vb4pex5vsknk084sn02q",
  "prd_01h455vb4pex5vsknk084sn02r",
  "prd_01h455vb4pex5vsknk084sn02s",
];
const input = {
  body: {
    orderId: "ord_01h455vb4pex5vsknk084sn02q",
    items: productIds.map((productId) => ({ productId, quantity: 2 })),
  },
};
const answer = { items: productIds.map((productId) => ({ productId, sku: "A-1", name: "A mug", unitPrice: 9.99 })) };
const target: CallTarget = { invoke: async () => answer };

const base = { clock: systemClock, random: systemRandom, log: silentLogger };
const tokens = createPeerTokens({ secret: systemRandom.bytes(32), clock: systemClock });
const running = { contract: catalog, target } as unknown as RunningService;
const asked = { ...base, services: new Map([["catalog", running]]), bus: createPostgresBus(), tokens };
const handle = createPeerHandler(asked, async (_message, response) => void response.writeHead(404).end());

/** What a call costs where `kept` says whether the called process takes kept connections. */
async function measuredRemote(kept: boolean): Promise<Cost> {
  const upgrade = kept ? createPeerUpgrade(asked) : undefined;
  const server = createHttpServer({ ...base, handle, upgrade, port: 0, host: "127.0.0.1" });
  const port = await server.listen();
  const wire = createWire({ ...base, urlOf: () => `http://127.0.0.1:${port}`, tokens });
  if ((await wire.open("catalog")) !== kept) throw new Error("This is not the way that is to be measured");
  const measured = await measuredTurns(createRemoteTarget(wire, "catalog"));
  await wire.close();
  await server.drain({ graceMs: 0 });
  return measured;
}

const local = await measuredTurns(target);
const remote = await measuredRemote(false);
const wired = await measuredRemote(true);

console.log(`\n${turns} turns of ${calls} calls in this process and ${calls / 10} between two servers of it\n`);
report("local", local);
report("HTTP", remote);
report("wire", wired);
const p50Of = ({ turns: measured }: Cost) => median(measured.map(({ p50Us }) => p50Us));
const [localUs, remoteUs] = [p50Of(local), p50Of(remote)];
const times = remoteUs / localUs;
console.log(`\n  local p50 ${localUs.toFixed(1)} us (below ${goals.localUs})`);
console.log(`  HTTP over local ${times.toFixed(0)} (at least ${goals.times})`);
process.exitCode = localUs < goals.localUs && times >= goals.times ? 0 : 1;

interface Measured {
  p50Us: number;
  p99Us: number;
}

interface Cost {
  turns: Measured[];
  /** Processor time of a call, many at a time. */
  manyUs: number;
}

async function measuredTurns(called: CallTarget): Promise<Cost> {
  const dependencies = createDependencies(base);
  const { call } = createCalls({ clock: systemClock, dependencies, targetOf: () => called, log: silentLogger });
  const count = called === target ? calls : calls / 10;
  const once = async () => {
    // As a request has one, of which the call gets what is left.
    const deadline = createDeadline(systemClock, 30_000, new AbortController().signal);
    const context = { from: "orders", requestId: "req_1", traceparent: undefined, deadline };
    const startedMs = performance.now();
    await call(catalog.operations.reserveStock, input, context);
    const tookUs = (performance.now() - startedMs) * 1_000;
    deadline.end();
    return tookUs;
  };
  const measured: Measured[] = [];
  for (let turn = 0; turn <= turns; turn++) {
    const timesUs: number[] = [];
    for (let made = 0; made < count; made++) timesUs.push(await once());
    timesUs.sort((a, b) => a - b);
    const at = (share: number) => timesUs[Math.floor(timesUs.length * share)]!;
    // The first turn is that of the compiler.
    if (turn > 0) measured.push({ p50Us: at(0.5), p99Us: at(0.99) });
  }
  const one = async () => {
    for (let made = 0; made < count / atATime; made++) await once();
  };
  const many = () => Promise.all(Array.from({ length: atATime }, one));
  await many();
  const before = process.cpuUsage();
  for (let turn = 0; turn < turns; turn++) await many();
  const { user, system } = process.cpuUsage(before);
  return { turns: measured, manyUs: (user + system) / (turns * count) };
}

function report(name: string, { turns: measured, manyUs }: Cost): void {
  for (const { p50Us, p99Us } of measured)
    console.log(`  ${name.padEnd(7)} p50 ${p50Us.toFixed(1).padStart(7)} us   p99 ${p99Us.toFixed(1).padStart(7)} us`);
  console.log(`  ${name.padEnd(7)} ${atATime} at a time: ${manyUs.toFixed(1)} us of processor time a call`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
