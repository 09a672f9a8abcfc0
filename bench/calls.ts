// What a call between services costs: in one process, and over loopback HTTP between two servers of it.
//
//   npm run bench:calls [-- calls]
//
// Both go through everything that calls go through: contract, copies, deadline, retries, breaker, bulkhead. The called
// operation only answers, so that nothing but the call is measured: a stock reservation of three lines. One call
// at a time, in turns; ends with 1 unless the local p50 stays below 20 us and 20 times below the remote one.

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
async function measuredRemote(kept: boolean): Promise<Measured[]> {
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
const [localUs, remoteUs] = [median(local.map(({ p50Us }) => p50Us)), median(remote.map(({ p50Us }) => p50Us))];
const times = remoteUs / localUs;
console.log(`\n  local p50 ${localUs.toFixed(1)} us (below ${goals.localUs})`);
console.log(`  HTTP over local ${times.toFixed(0)} (at least ${goals.times})`);
process.exitCode = localUs < goals.localUs && times >= goals.times ? 0 : 1;

interface Measured {
  p50Us: number;
  p99Us: number;
}

async function measuredTurns(called: CallTarget): Promise<Measured[]> {
  const dependencies = createDependencies(base);
  const { call } = createCalls({ clock: systemClock, dependencies, targetOf: () => called, log: silentLogger });
  const count = called === target ? calls : calls / 10;
  const measured: Measured[] = [];
  for (let turn = 0; turn <= turns; turn++) {
    const timesUs: number[] = [];
    for (let made = 0; made < count; made++) {
      // As a request has one, of which the call gets what is left.
      const deadline = createDeadline(systemClock, 30_000, new AbortController().signal);
      const context = { from: "orders", requestId: "req_1", traceparent: undefined, deadline };
      const startedMs = performance.now();
      await call(catalog.operations.reserveStock, input, context);
      timesUs.push((performance.now() - startedMs) * 1_000);
      deadline.end();
    }
    timesUs.sort((a, b) => a - b);
    const at = (share: number) => timesUs[Math.floor(timesUs.length * share)]!;
    // The first turn is that of the compiler.
    if (turn > 0) measured.push({ p50Us: at(0.5), p99Us: at(0.99) });
  }
  return measured;
}

function report(name: string, measured: readonly Measured[]): void {
  for (const { p50Us, p99Us } of measured)
    console.log(`  ${name.padEnd(7)} p50 ${p50Us.toFixed(1).padStart(7)} us   p99 ${p99Us.toFixed(1).padStart(7)} us`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
