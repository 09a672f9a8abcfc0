// The store twice, in one process and in many, asked the same; and what of two answers must be equal.
//
// Ids, tokens and moments differ by nature. An id counts as the same when it is the first, second,
// third of its kind to be seen on either side; tokens and cursors by that they are there.

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { isDeepStrictEqual } from "node:util";
import { createPasswords } from "ashlar/auth";
import { systemClock } from "ashlar/base";
import type { SystemDefinition } from "ashlar/runtime";
import {
  startTestSystem,
  type TestAnswer,
  type TestRequest,
  type TestSystem,
  type TestSystemOptions,
} from "ashlar/testing";
import { apiKeys, contracts, endedTokens, services } from "../../store/services.ts";

/** Hashing that costs next to nothing: no password is guessed here. */
const passwords = createPasswords({ clock: systemClock, cost: { memoryKiB: 64, passes: 1 } });

export interface Side {
  readonly system: TestSystem;
  readonly definition: SystemDefinition;
  /** The ids seen, in their order, by prefix. */
  readonly ids: Map<string, string[]>;
  /** What `ids` has no place for: the `Authorization` of each actor. */
  readonly actors: Map<string, string>;
}

const store: SystemDefinition = {
  name: "store",
  title: "Store",
  version: "0.0.0",
  contracts,
  apiKeys,
  endedTokens,
  services: (platform) => services({ ...platform, passwords }),
};

export async function openSide(
  topology: "single" | "split",
  { definition = store, ...options }: Partial<TestSystemOptions> = {},
): Promise<Side> {
  const system = await startTestSystem({ ...options, topology, definition });
  return { system, definition, ids: new Map(), actors: new Map() };
}

/** A request with ids by their place: `{usr:0}` is the first user that was seen, `{usr:0+3}` the first after three. */
export interface Step {
  actor: string | undefined;
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export async function ask(side: Side, { actor, method, path, body, headers }: Step): Promise<TestAnswer> {
  const authorization = actor === undefined ? undefined : side.actors.get(actor);
  const request: TestRequest = {
    ...(body === undefined ? {} : { body: placed(side, body) }),
    ...(headers === undefined ? {} : { headers }),
    ...(authorization === undefined ? {} : { authorization }),
  };
  // Two rows of one millisecond would stand in the order of chance.
  await side.system.clock.advance(5);
  const answer = await side.system.request(method, placed(side, path) as string, request);
  for (const [id] of answer.text.matchAll(typeIds)) noteId(side, id);
  return answer;
}

const typeIds = /\b[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g;
const unknownSuffix = "01h455vb4pex5vsknk084sn02q";

function noteId({ ids }: Side, id: string): number {
  const prefix = id.slice(0, 3);
  const known = ids.get(prefix) ?? ids.set(prefix, []).get(prefix)!;
  const place = known.indexOf(id);
  return place >= 0 ? place : known.push(id) - 1;
}

function placed({ ids }: Side, value: unknown): unknown {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const filled = text.replaceAll(
    /\{([a-z]{3}):(\d+)(?:\+(\d+))?\}/g,
    (_, prefix: string, place: string, from = "0") => {
      const known = (ids.get(prefix) ?? []).slice(Number(from));
      return known.length === 0 ? `${prefix}_${unknownSuffix}` : known[Number(place) % known.length]!;
    },
  );
  return typeof value === "string" ? filled : JSON.parse(filled);
}

/** What a client could see of an answer, without what differs by nature. */
export function seen(side: Side, { status, headers, text }: TestAnswer): unknown {
  const shown = [...headers].filter(([name]) => !ofNature.has(name)).map(([name, value]) => [name, plain(side, value)]);
  return { status, headers: Object.fromEntries(shown), body: plain(side, text) };
}

/** Lengths follow from cursors and signatures, tags of lists from ids. */
const ofNature = new Set(["date", "x-request-id", "content-length", "etag", "keep-alive"]);

/** The clocks of the two sides are moved by what each needs to have its events delivered. */
const moments = /\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|\+00(?::00)?)?/g;

export function plain(side: Side, text: string): string {
  return text
    .replaceAll(typeIds, (id) => `${id.slice(0, 3)}#${noteId(side, id)}`)
    .replaceAll(moments, "a moment")
    .replaceAll(/Request [0-9a-f]{32} has/g, "Request x has")
    .replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, "a-token")
    .replaceAll(/(key#\d+)\.[\w-]{20,}/g, "$1.a-secret")
    .replaceAll(/("nextCursor":|cursor=)"?[\w%-]+\.[\w-]+"?/g, "$1a-cursor");
}

export function difference(step: Step, one: unknown, many: unknown): string | undefined {
  if (isDeepStrictEqual(one, many)) return undefined;
  return `${step.actor ?? "nobody"}: ${step.method} ${step.path} ${JSON.stringify(step.body)?.slice(0, 200) ?? ""}\n  in one process: ${JSON.stringify(one)}\n  in many:        ${JSON.stringify(many)}`;
}

/** The names of an answer's headers as they stand on the wire, which a client of another language may look at. */
export async function headerNames({ system }: Side, path: string): Promise<string[]> {
  const asked = get(`${system.url}${path}`);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  return answer.rawHeaders.filter((_, index) => index % 2 === 0);
}

/** Everything that requests left behind, table by table, and the events in the order of their aggregates. */
export async function left(side: Side): Promise<Record<string, string>> {
  await side.system.settled();
  const tables: Record<string, string> = {};
  for (const { name } of side.definition.contracts) {
    const found = await side.system.rows(
      name,
      `select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    );
    for (const { table_name: table } of found) {
      const [row] = await side.system.rows(name, `select count(*)::int as rows from "${String(table)}"`);
      tables[`${name}.${String(table)}`] = String(row!.rows);
    }
    const events = await side.system.rows(
      name,
      "select type, aggregate_id, version, data, array_to_string(subscribers, ',') as subscribers from ashlar.outbox order by seq",
    );
    const lines = Map.groupBy(events, ({ aggregate_id: id }) => String(id));
    tables[`${name} events`] = [...lines.values()]
      .map((all) => all.map((one) => plain(side, JSON.stringify(one))).join("\n"))
      .toSorted()
      .join("\n");
  }
  return tables;
}
