// A call is the same whether its service is in this process or in another one: by HTTP or on a kept connection:
// all ways are asked the same here.

import { deepEqual, equal, rejects } from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { createManualClock, silentLogger, systemRandom } from "../base/index.ts";
import { type CallTarget, createCalls, createDeadline, createDependencies, createRemoteTarget } from "../call/index.ts";
import { Failure, list, object, post, service, servicesOnly, text, type TSchema } from "../contract/index.ts";
import { createPostgresBus } from "../events/index.ts";
import { createHttpServer, type Upgrade } from "../http/index.ts";
import { createPeerTokens, createWire, type Wire } from "../peer/index.ts";
import type { RunningService } from "../service/index.ts";
import { createPeerHandler } from "./peer-handler.ts";
import { createPeerUpgrade } from "./peer-upgrade.ts";

const spec = { status: 200, access: servicesOnly };
const anything = { type: "object" } as unknown as TSchema;
const { operations, ...contract } = service("shop", {
  database: "shop",
  summary: "A shop",
  versions: [{ number: 1 }],
  operations: {
    echo: post("/echo", { ...spec, summary: "Says what it was told", body: anything, returns: anything }),
    names: post("/names", {
      ...spec,
      summary: "Takes names",
      body: object({ names: list(text({ max: 9 }), { max: 9 }) }),
    }),
  },
});

/** What the service does; a test says it. */
let handle: (body: Record<string, unknown>) => unknown = () => undefined;
const target: CallTarget = { invoke: async (_name, { body }) => handle(body as Record<string, unknown>) };

const said: string[] = [];
const note = (_fields: object, message: string) => void said.push(message);
const log = { ...silentLogger, info: note, error: note };
const base = { clock: createManualClock(), random: systemRandom, log };
const tokens = createPeerTokens({ secret: new Uint8Array(32), clock: base.clock });
const running = { contract: { ...contract, operations }, target } as unknown as RunningService;
const asked = { ...base, services: new Map([["shop", running]]), bus: createPostgresBus(), tokens };
/** A process of the service, and the way of another one to it. */
async function startPeer(upgrade: Upgrade | undefined): Promise<Wire> {
  const handle = createPeerHandler(asked, (_message, response) => void response.writeHead(404).end());
  const server = createHttpServer({ ...base, port: 0, host: "127.0.0.1", handle, upgrade });
  const port = await server.listen();
  const wire = createWire({ ...base, urlOf: () => `http://127.0.0.1:${port}`, tokens });
  after(async () => {
    await wire.close();
    await server.drain({ graceMs: 0 });
  });
  equal(await wire.open("shop"), upgrade !== undefined);
  return wire;
}
const wires = { http: await startPeer(undefined), kept: await startPeer(createPeerUpgrade(asked)) };

function callsOf(called: CallTarget) {
  const { call } = createCalls({ ...base, dependencies: createDependencies(base), targetOf: () => called });
  const context = {
    from: "orders",
    requestId: "r1",
    traceparent: undefined,
    deadline: createDeadline(base.clock, 1e6),
  };
  return (body: object) => call(operations.echo, { body }, context) as Promise<object>;
}
const ways = {
  local: callsOf(target),
  http: callsOf(createRemoteTarget(wires.http, "shop")),
  kept: callsOf(createRemoteTarget(wires.kept, "shop")),
};

const value = fc.object({
  values: [
    fc.constant(undefined),
    fc.date({ noInvalidDate: true }),
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
  ],
  maxDepth: 3,
});

/** Changes everything within reach. */
function scribble(held: unknown): void {
  if (typeof held !== "object" || held === null) return;
  if (held instanceof Date) return void held.setTime(1);
  for (const key of Object.keys(held)) {
    scribble((held as Record<string, unknown>)[key]);
    Object.defineProperty(held, key, { value: "scribbled", configurable: true, writable: true });
  }
  Object.assign(held, { added: "scribbled" });
}

async function compareWays<T>(run: (ask: (body: object) => Promise<object>) => Promise<T>): Promise<void> {
  const local = await run(ways.local);
  deepEqual(await run(ways.http), local);
  deepEqual(await run(ways.kept), local);
}

test("nothing done to an argument or a result on one side is seen on the other, and both ways carry the same", async () => {
  await fc.assert(
    fc.asyncProperty(value, value, (sent, answered) =>
      compareWays(async (ask) => {
        const [argument, result] = [structuredClone(sent), structuredClone(answered)];
        let received: Record<string, unknown> = {};
        handle = (body) => {
          received = body;
          return result;
        };
        const got = await ask(argument);
        const saw = structuredClone({ received, got });
        scribble(argument);
        scribble(result);
        deepEqual({ received, got }, saw);
        scribble(received);
        deepEqual(got, saw.got);
        const [keptArgument, keptResult] = [structuredClone(argument), structuredClone(result)];
        scribble(got);
        deepEqual([argument, result], [keptArgument, keptResult]);
        return saw;
      }),
    ),
    { numRuns: 150 },
  );
});

test("nor of a failure: its details and headers are copies, and it says the same both ways", async () => {
  const detail = fc.record({ field: fc.string(), message: fc.string() });
  const failure = fc.record({ details: fc.array(detail), headers: fc.dictionary(fc.string(), fc.string()) });
  await fc.assert(
    fc.asyncProperty(failure, (options) =>
      compareWays(async (ask) => {
        const thrown = new Failure({ code: "SOLD_OUT", status: 409 }, "Sold out", structuredClone(options));
        handle = () => {
          throw thrown;
        };
        const caught = await ask({}).then(
          () => undefined,
          (error: Failure) => error,
        );
        const { code, status, message, details, headers, hops, cause } = caught!;
        const saw = structuredClone({ code, status, message, details, headers, hops, cause });
        scribble(thrown.details);
        scribble(thrown.headers);
        deepEqual({ details, headers }, { details: saw.details, headers: saw.headers });
        equal(cause, undefined);
        return saw;
      }),
    ),
    { numRuns: 50 },
  );
});

test("what cannot be carried, and a bug, is 500 both ways", async () => {
  for (const broken of [() => ({ big: 1n }), () => new Proxy({}, { ownKeys: () => ["a", "a"] })]) {
    handle = broken;
    await compareWays((ask) =>
      ask({}).then(
        () => "an answer",
        ({ code, status, message, hops }: Failure) => ({ code, status, message, hops }),
      ),
    );
  }
  handle = () => {
    throw new TypeError("secret");
  };
  for (const ask of Object.values(ways))
    await rejects(ask({}), { code: "INTERNAL", status: 500, message: "Something unexpected happened", hops: 1 });
});

test("input of a peer of another version is looked at again: 502, with the reason in the log and nothing run", async () => {
  const mustNotRun = () => {
    throw new Error("must not run");
  };
  handle = mustNotRun;
  const deadline = createDeadline(base.clock, 1_000);
  const send = (wire: Wire, input: unknown, operation = "names") =>
    createRemoteTarget(wire, "shop").invoke(operation, input as never, {
      from: "orders",
      requestId: "r2",
      traceparent: undefined,
      deadline,
    });
  const nonsense = [
    { params: {}, query: {}, body: { names: [5] } },
    { params: {}, query: {}, body: { names: [], more: 1 } },
    { params: {}, query: {} },
    { params: {}, query: {}, body: null },
    [],
    null,
    "text",
  ];
  for (const wire of Object.values(wires)) {
    said.length = 0;
    for (const input of nonsense)
      await rejects(send(wire, input), {
        code: "BAD_GATEWAY",
        status: 502,
        message: "Service shop did not understand service orders",
      });
    equal(said.length, nonsense.length);
    // An operation that this version does not have is no answer to it.
    await rejects(send(wire, { params: {}, query: {}, body: {} }, "later"), { code: "BAD_GATEWAY" });
    handle = ({ names }) => names;
    deepEqual(await send(wire, { params: {}, query: {}, body: { names: ["a"] } }), ["a"]);
    handle = mustNotRun;
  }
});
