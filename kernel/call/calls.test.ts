import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock, silentLogger, systemRandom } from "../base/index.ts";
import {
  errorCode,
  Failure,
  integer,
  list,
  type Named,
  object,
  post,
  service,
  servicesOnly,
  text,
} from "../contract/index.ts";
import { createCalls, type CallTarget } from "./calls.ts";
import { createDeadline } from "./deadline.ts";
import { createDependencies } from "./dependency.ts";

const soldOut = errorCode("SOLD_OUT", 409, "Nothing is left");
const shop = service("shop", {
  database: "shop",
  summary: "A shop",
  versions: [{ number: 1 }],
  operations: {
    price: post("/prices", {
      summary: "What things cost",
      body: object({ names: list(text({ max: 9 }), { max: 9 }), count: integer({ min: 1, default: 1 }) }),
      returns: object({ prices: list(integer(), { max: 9 }) }),
      status: 200,
      access: servicesOnly,
      errors: [soldOut],
    }),
  },
});
const { price } = shop.operations;

function setUp(invoke: CallTarget["invoke"]) {
  const clock = createManualClock();
  const dependencies = createDependencies({ clock, random: systemRandom, log: silentLogger });
  const calls = createCalls({
    clock,
    dependencies,
    targetOf: (name) => (name === "shop" ? { invoke } : undefined),
    log: silentLogger,
  });
  const deadline = createDeadline(clock, 1_000);
  return { clock, deadline, calls, context: { from: "orders", requestId: "r1", traceparent: "00-1", deadline } };
}

test("neither side can touch the other's objects, arguments or results", async () => {
  const kept: { body: { names: string[] }; result: { prices: number[] } } = {
    body: { names: [] },
    result: { prices: [1, 2] },
  };
  const { calls, context } = setUp(async (_name, input) => {
    kept.body = input.body as { names: string[] };
    kept.body.names.push("added by the callee");
    return kept.result;
  });
  const sent = { names: ["a"], count: 1 };
  const got = await calls.call(price, { body: sent }, context);
  deepEqual(sent.names, ["a"]);
  got.prices.push(3);
  deepEqual(kept.result.prices, [1, 2]);
  kept.result.prices[0] = 9;
  equal(got.prices[0], 1);
  sent.names.push("added by the caller");
  deepEqual(kept.body.names, ["a", "added by the callee"]);
});

test("what would not survive the wire does not survive here: dates, undefined, classes", async () => {
  const seen: unknown[] = [];
  const { calls, context } = setUp(async (_name, input) => {
    seen.push(input);
    return { prices: [1], when: new Date(0), nothing: undefined, map: new Map([[1, 2]]) };
  });
  const got = await calls.call(price, { body: { names: ["a"], count: undefined as unknown as number } }, context);
  deepEqual(seen, [{ params: {}, query: {}, body: { names: ["a"], count: 1 } }]);
  deepEqual(got, { prices: [1], when: "1970-01-01T00:00:00.000Z", map: {} } as unknown);
});

test("a call that breaks the contract is a mistake of the caller and never arrives", async () => {
  const { calls, context } = setUp(async () => {
    throw new Error("must not be reached");
  });
  await rejects(
    calls.call(price, { body: { names: ["a"], count: 0 } }, context),
    /orders called shop\.price wrongly: body\.count must be at least 1/,
  );
  await rejects(
    calls.call(price, { body: { names: [5 as unknown as string], count: 1 } }, context),
    /body\.names\[0\] must be a string/,
  );
  const elsewhere = { ...price, service: "elsewhere" } as unknown as Named<typeof price>;
  await rejects(calls.call(elsewhere, {}, context), /No process offers service "elsewhere"/);
});

test("a refusal arrives as a copy, without its cause", async () => {
  const refusal = new Failure(soldOut, "Nothing is left", {
    details: [{ field: "names[0]", message: "is sold out" }],
    headers: { "retry-after": "5" },
    cause: new Error("secret"),
  });
  const { calls, context } = setUp(async () => {
    throw refusal;
  });
  const caught = await calls
    .call(price, { body: { names: ["a"], count: 1 } }, context)
    .catch((error: unknown) => error as Failure);
  notEqual(caught, refusal);
  const { code, status, message, details, headers, cause } = caught as Failure;
  deepEqual(
    { code, status, message, details, headers, cause },
    {
      code: "SOLD_OUT",
      status: 409,
      message: "Nothing is left",
      details: refusal.details,
      headers: refusal.headers,
      cause: undefined,
    },
  );
  notEqual(details[0], refusal.details[0]);
});

test("anything else that is thrown, or answered and no JSON, arrives as from another process: a 500 that tells nothing", async () => {
  const wrong = [() => Promise.reject(new TypeError("x is not a function")), async () => ({ prices: [12n] })];
  for (const invoke of wrong) {
    const { calls, context } = setUp(invoke);
    await rejects(calls.call(price, { body: { names: ["a"], count: 1 } }, context), (error: Failure) => {
      deepEqual(
        [error.name, error.code, error.message, error.cause],
        ["Failure", "INTERNAL", "Something unexpected happened", undefined],
      );
      return true;
    });
  }
});

test("the callee gets what is left of the caller's time, and who calls; a call after it is not made", async () => {
  let reached = 0;
  const { clock, calls, context } = setUp(async (_name, _input, call) => {
    reached++;
    deepEqual(
      [call.from, call.requestId, call.traceparent, call.deadline.remainingMs()],
      ["orders", "r1", "00-1", 300],
    );
    await clock.advance(300);
    equal(call.deadline.signal.aborted, true);
    call.deadline.check();
  });
  await clock.advance(700);
  const input = { body: { names: ["a"], count: 1 } };
  await rejects(calls.call(price, input, context), { code: "DEADLINE_EXCEEDED" });
  await rejects(calls.call(price, input, context), { code: "DEADLINE_EXCEEDED" });
  equal(reached, 1);
});
