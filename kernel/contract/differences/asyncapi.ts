// Two AsyncAPI documents of one service, compared. Events have no version: a change that breaks
// subscribers is made as a new type of event.

import {
  breaking,
  compare,
  compatible,
  type Comparison,
  type Difference,
  distinct,
  follow,
  isObject,
  type Json,
  keysOf,
  objectAt,
  type Pair,
  restDifferences,
} from "./difference.ts";
import { schemaDifferences, type Use } from "./schema.ts";

/** What a service announces is an answer to its subscribers; what it only wants, it asks for. */
export function asyncApiDifferences(before: Json, after: Json, nowMs: number): Difference[] {
  const comparison = compare(before, after, nowMs);
  return distinct([
    ...operationDifferences(comparison),
    ...channelDifferences(comparison),
    ...restDifferences(comparison, { before, after, place: [] }, ["channels", "operations", "components"]),
  ]);
}

function operationDifferences(comparison: Comparison): Difference[] {
  const [from, to] = [objectAt(comparison.before, "operations"), objectAt(comparison.after, "operations")];
  return keysOf(from, to).flatMap((name) => {
    const place = ["operations", name];
    const [was, is] = [from[name], to[name]];
    if (!isObject(was)) return [compatible(place, "is new")];
    if (isObject(is)) return oneOperation(comparison, { before: was, after: is, place });
    return was.action === "send"
      ? [breaking(place, "is removed: subscribers wait for an event that nobody announces")]
      : [compatible(place, "is removed: whoever announces the event does as before")];
  });
}

/** What its channel carries is compared there; here counts which channel it is. */
function oneOperation(comparison: Comparison, pair: Pair): Difference[] {
  const { before, after, place } = pair;
  const elsewhere = ["channel", "messages"];
  return [
    ...elsewhere
      .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
      .map((key) => breaking([...place, key], "changed: subscribers listen at the other one")),
    ...restDifferences(comparison, pair, elsewhere),
  ];
}

function channelDifferences(comparison: Comparison): Difference[] {
  const [from, to] = [objectAt(comparison.before, "channels"), objectAt(comparison.after, "channels")];
  const announced = new Set(
    Object.values(objectAt(comparison.before, "operations"))
      .filter(isObject)
      .filter(({ action }) => action === "send")
      .map(({ channel }) => JSON.stringify(channel)),
  );
  return keysOf(from, to).flatMap((name) => {
    const place = ["channels", name];
    const isAnnounced = announced.has(JSON.stringify({ $ref: `#/channels/${name}` }));
    const [was, is] = [from[name], to[name]];
    if (!isObject(was)) return [compatible(place, "is new")];
    if (!isObject(is))
      return [
        isAnnounced ? breaking(place, "is removed") : compatible(place, "is removed: nothing was announced here"),
      ];
    const pair = { before: was, after: is, place };
    return [
      ...messageDifferences(comparison, pair, isAnnounced ? "event" : "request"),
      ...restDifferences(comparison, pair, ["messages"]),
    ];
  });
}

function messageDifferences(comparison: Comparison, channel: Pair, use: Use): Difference[] {
  const [from, to] = [objectAt(channel.before, "messages"), objectAt(channel.after, "messages")];
  return keysOf(from, to).flatMap((name) => {
    const place = [...channel.place, "messages", name];
    const [was, is] = [from[name], to[name]];
    if (!isObject(is)) return [breaking(place, "is removed")];
    if (!isObject(was)) return [breaking(place, "is new: subscribers of this type do not expect it")];
    const pair = follow(comparison, { before: was, after: is, place }, use);
    if (pair === undefined) return [];
    const schemas = { before: objectAt(pair.before, "payload"), after: objectAt(pair.after, "payload") };
    return [
      ...schemaDifferences(comparison, { ...schemas, place: [...pair.place, "payload"] }, use),
      ...restDifferences(comparison, pair, ["payload"]),
    ];
  });
}
