// What must hold when everything has settled, whatever was killed: a line for each, with what was counted.

import type { Placed } from "./client.ts";
import type { EventRow, Facts } from "./facts.ts";
import { type Plan, quantityOf } from "./plan.ts";

export interface Verdict {
  what: string;
  /** What was found, of what was looked at. */
  found: string;
  /** What should not be there, each in a few words. */
  wrong: readonly string[];
}

export interface Evidence {
  plan: Plan;
  placed: readonly Placed[];
  /** Ids of products, in the order of the plan. */
  products: readonly string[];
  facts: Facts;
  /** The checkouts whose answer did not come back byte for byte when they were asked for again. */
  notReplayed: readonly Placed[];
  errors: readonly string[];
  endings: readonly (number | null)[];
}

export function verdictsOn(evidence: Evidence): Verdict[] {
  return [
    answers(evidence),
    lost(evidence),
    doubled(evidence),
    replays(evidence),
    stock(evidence),
    effects(evidence),
    deliveries(evidence),
    order(evidence),
    {
      what: "Nothing waits, and nothing was given up",
      found: count(evidence.facts.deadLetters, "dead letter"),
      wrong: waiting(evidence),
    },
    {
      what: "No process met with what nobody expected",
      found: count(evidence.errors.length, "line"),
      wrong: evidence.errors,
    },
    {
      what: "Asked to end, every process ends by itself",
      found: evidence.endings.join(", "),
      wrong: evidence.endings.filter((code) => code !== 0).map(String),
    },
  ];
}

function answers({ plan, placed }: Evidence): Verdict {
  const refused = placed.filter(({ status, text }) => status === 409 && text.includes("INSUFFICIENT_STOCK"));
  const unknown = placed.filter((one) => one.id === undefined && !refused.includes(one));
  const uncancelled = placed.filter(
    ({ id, checkout, cancelled }) => id !== undefined && checkout.cancels && !cancelled,
  );
  const missing = plan.checkouts.length - placed.length;
  return {
    what: "Every checkout is answered",
    found: `${bought(placed).length} placed, ${refused.length} refused for want of stock, ${cancelled(placed).length} cancelled`,
    wrong: [
      ...unknown.map(({ checkout, status, text }) => `${checkout.key}: ${status} ${text}`),
      ...uncancelled.map(({ checkout }) => `${checkout.key} could not be cancelled`),
      ...(missing > 0 ? [`${missing} were not asked for`] : []),
    ],
  };
}

function lost({ placed, facts }: Evidence): Verdict {
  const gone = bought(placed).filter(({ id }) => !facts.orders.has(id!));
  return { what: "No order is lost", found: `${facts.orders.size} orders`, wrong: gone.map(({ id }) => id!) };
}

function doubled({ placed, facts }: Evidence): Verdict {
  const ids = new Set(bought(placed).map(({ id }) => id!));
  const unasked = [...facts.orders.keys()].filter((id) => !ids.has(id));
  const shared = bought(placed).length - ids.size;
  return {
    what: "No order is doubled",
    found: count(unasked.length, "order") + " that nobody was told of",
    wrong: [...unasked, ...(shared > 0 ? [`${shared} keys were answered with the order of another`] : [])],
  };
}

function replays({ placed, notReplayed }: Evidence): Verdict {
  return {
    what: "Asked again with its key, every order is answered in the same bytes",
    found: `${bought(placed).length - notReplayed.length} of ${bought(placed).length}`,
    wrong: notReplayed.map(({ checkout }) => checkout.key),
  };
}

function stock({ plan, placed, products, facts }: Evidence): Verdict {
  const kept = bought(placed).filter((one) => !one.cancelled);
  const lines = kept.flatMap(({ checkout }) => checkout.lines);
  const wrong = products.flatMap((id, product) => {
    const expected = plan.stocks[product]! - quantityOf(lines, product);
    return facts.stocks.get(id) === expected ? [] : [`${id}: ${facts.stocks.get(id)} and not ${expected}`];
  });
  const sold = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const all = plan.stocks.reduce((sum, one) => sum + one, 0);
  return { what: "The stock is exact", found: `${sold} of ${all} sold, ${all - sold} left`, wrong };
}

/** What each event brings about, seen by what follows from it and by the rows it changes. */
function effects({ placed, facts }: Evidence): Verdict {
  const byOrder = Map.groupBy(facts.events, ({ aggregateId }) => aggregateId);
  const wrong = bought(placed).flatMap(({ id, cancelled }) => {
    const types = (byOrder.get(id!) ?? []).map(({ type }) => type);
    const times = (type: string) => types.filter((one) => one === type).length;
    const state = `${facts.orders.get(id!)}, ${facts.reservations.get(id!)}: ${types.join(", ")}`;
    const right = cancelled
      ? times("order.cancelled") === 1 && times("stock.released") === 1 && times("order.confirmed") <= 1
      : times("order.confirmed") === 1 && times("order.cancelled") === 0 && times("stock.released") === 0;
    const ended = cancelled
      ? facts.orders.get(id!) === "cancelled" && facts.reservations.get(id!) === "released"
      : facts.orders.get(id!) === "confirmed" && facts.reservations.get(id!) === "committed";
    return right && ended && times("order.created") === 1 && times("stock.committed") === 1 ? [] : [`${id}: ${state}`];
  });
  return { what: "Every event has its effect once", found: `${facts.events.length} events`, wrong };
}

function deliveries({ facts: { events, inboxes } }: Evidence): Verdict {
  const wanted = events.flatMap(({ id, type, subscribers }) =>
    subscribers.map((subscriber) => ({ id, type, subscriber })),
  );
  const missing = wanted.filter(({ id, subscriber }) => inboxes.get(subscriber)?.has(id) !== true);
  const known = new Set(wanted.map(({ id, subscriber }) => `${subscriber} ${id}`));
  const strange = [...inboxes].flatMap(([subscriber, ids]) =>
    [...ids.keys()].map((id) => `${subscriber} ${id}`).filter((one) => !known.has(one)),
  );
  return {
    what: "Every event reached each of its subscribers",
    found: `${wanted.length - missing.length} of ${wanted.length}`,
    wrong: [...missing.map(({ id, type, subscriber }) => `${type} ${id} for ${subscriber}`), ...strange],
  };
}

function order({ facts: { events, inboxes } }: Evidence): Verdict {
  const lanes = Map.groupBy(
    events.flatMap((event) => event.subscribers.map((subscriber) => ({ ...event, subscriber }))),
    ({ service, aggregateId, subscriber }) => `${service} ${aggregateId} ${subscriber}`,
  );
  const several = [...lanes].filter(([, lane]) => lane.length > 1);
  const receivedAt = ({ id, subscriber }: EventRow & { subscriber: string }) => inboxes.get(subscriber)?.get(id) ?? "";
  const wrong = several.filter(([, lane]) =>
    lane.some((event, index) => index > 0 && receivedAt(event) <= receivedAt(lane[index - 1]!)),
  );
  return {
    what: "The events of one order arrive in their order",
    found: `${several.length - wrong.length} of ${several.length} orders with several for one subscriber`,
    wrong: wrong.map(([lane]) => lane),
  };
}

function waiting({ facts: { deadLetters, unsettled } }: Evidence): string[] {
  return [
    ...(deadLetters > 0 ? [count(deadLetters, "dead letter")] : []),
    ...(unsettled > 0 ? [`${unsettled} events or reservations are still open`] : []),
  ];
}

function bought(placed: readonly Placed[]): Placed[] {
  return placed.filter(({ id }) => id !== undefined);
}

function cancelled(placed: readonly Placed[]): Placed[] {
  return placed.filter((one) => one.cancelled);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
