// `npm run faults`, shortened: each of the seven is killed once while people buy.

import assert from "node:assert/strict";
import { test } from "node:test";
import { needsNats, needsRedis } from "ashlar/testing";
import { planOf } from "./plan.ts";
import { run } from "./run.ts";
import { type Evidence, verdictsOn } from "./verdicts.ts";

test(
  "whatever is killed while customers buy, no order is lost or doubled, the stock is exact and every event has its effect once",
  {
    ...needsNats,
    ...needsRedis,
  },
  async () => {
    const { outages, verdicts } = await run({
      scenario: "kills",
      checkouts: 84,
      clients: 6,
      rounds: 1,
      seed: 1,
      absentMs: 100,
      outageMs: 0,
      onProgress: () => {},
    });
    assert.deepEqual(
      outages.map(({ victim }) => victim),
      ["gateway", "identity", "catalog", "orders", "PostgreSQL", "NATS", "Redis"],
    );
    // Without these in the way of a checkout, the kill was none.
    for (const { victim, troubles } of outages.filter(({ victim }) => /gateway|catalog|orders|PostgreSQL/.test(victim)))
      assert.ok(troubles.size > 0, victim);
    for (const { what, wrong } of verdicts) assert.deepEqual(wrong, [], what);
  },
);

/** One order as it should be, with its events. */
function evidence(): Evidence {
  const { checkouts } = planOf({ checkouts: 1, customers: 1, seed: 1 });
  const checkout = { ...checkouts[0]!, lines: [{ product: 0, quantity: 2 }], cancels: true };
  const event = (service: string, type: string, subscribers: string[]) => ({
    service,
    id: type,
    type,
    aggregateId: "ord_1",
    subscribers,
  });
  return {
    plan: { checkouts: [checkout], stocks: [5] },
    placed: [{ checkout, status: 201, text: "{}", id: "ord_1", cancelled: true, tookMs: 1 }],
    products: ["prd_1"],
    facts: {
      orders: new Map([["ord_1", "cancelled"]]),
      reservations: new Map([["ord_1", "released"]]),
      stocks: new Map([["prd_1", 5]]),
      events: [
        event("orders", "order.created", ["catalog"]),
        event("orders", "order.cancelled", ["catalog"]),
        event("catalog", "stock.committed", ["orders"]),
        event("catalog", "stock.released", []),
      ],
      inboxes: new Map([
        [
          "catalog",
          new Map([
            ["order.created", "1"],
            ["order.cancelled", "2"],
          ]),
        ],
        ["orders", new Map([["stock.committed", "1"]])],
      ]),
      deadLetters: 0,
      unsettled: 0,
    },
    notReplayed: [],
    errors: [],
    endings: [0],
  };
}

const failing = (changed: Evidence) =>
  verdictsOn(changed)
    .filter(({ wrong }) => wrong.length > 0)
    .map(({ what }) => what);

test("the verdicts find each thing that can be wrong, and nothing where all is well", () => {
  const good = evidence();
  const { facts, placed } = good;
  const withFacts = (more: Partial<Evidence["facts"]>) => failing({ ...good, facts: { ...facts, ...more } });
  const catalogGot = (...events: [string, string][]) =>
    new Map([...facts.inboxes, ["catalog", new Map(events)] as const]);
  assert.deepEqual(failing(good), []);
  assert.deepEqual(failing({ ...good, placed: [] }).slice(0, 2), ["Every checkout is answered", "No order is doubled"]);
  assert.deepEqual(
    failing({ ...good, placed: [{ ...placed[0]!, cancelled: false }] })[0],
    "Every checkout is answered",
  );
  assert.ok(withFacts({ orders: new Map() }).includes("No order is lost"));
  assert.deepEqual(withFacts({ orders: new Map([...facts.orders, ["ord_2", "pending"]]) }), ["No order is doubled"]);
  assert.deepEqual(withFacts({ stocks: new Map([["prd_1", 4]]) }), ["The stock is exact"]);
  assert.deepEqual(withFacts({ reservations: new Map([["ord_1", "held"]]) }), ["Every event has its effect once"]);
  assert.deepEqual(withFacts({ events: [...facts.events, facts.events[3]!] }), ["Every event has its effect once"]);
  assert.deepEqual(withFacts({ inboxes: catalogGot(["order.created", "1"]) }), [
    "Every event reached each of its subscribers",
    "The events of one order arrive in their order",
  ]);
  assert.deepEqual(withFacts({ inboxes: catalogGot(["order.created", "2"], ["order.cancelled", "1"]) }), [
    "The events of one order arrive in their order",
  ]);
  assert.deepEqual(withFacts({ deadLetters: 1 }), ["Nothing waits, and nothing was given up"]);
  assert.deepEqual(withFacts({ unsettled: 1 }), ["Nothing waits, and nothing was given up"]);
  assert.deepEqual(failing({ ...good, notReplayed: [placed[0]!] }).length, 1);
  assert.deepEqual(failing({ ...good, errors: ["orders: boom"] }).length, 1);
  assert.deepEqual(failing({ ...good, endings: [null] }).length, 1);
});
