// `ashlar events`: what happened, what could not be handled, and what to do about it. JSON lines on
// stdout, nothing else; the app may be running or not.

import { silentLogger } from "../base/index.ts";
import type { Database } from "../data/index.ts";
import { dropDead, listDead, listEvents, replayDead } from "../events/index.ts";
import { openDatabases } from "./databases.ts";
import { UsageError } from "./errors.ts";
import { findApp, settingsOf } from "./find-app.ts";

interface Selection {
  service?: string;
  limit: number;
}

interface ServiceDatabase {
  service: string;
  database: Database;
}

/** The newest events of all services, oldest first, in the envelope that subscribers get. */
export async function list({
  limit,
  service,
  type,
  aggregate,
  state,
}: Selection & { type?: string; aggregate?: string; state?: boolean }): Promise<void> {
  const filter = {
    limit,
    ...(type === undefined ? {} : { type }),
    ...(aggregate === undefined ? {} : { aggregateId: aggregate }),
  };
  const found = await onDatabases(service, async (each) => {
    const listed = await listEvents(each.database, filter);
    return listed.map(({ envelope, state, pending }) => ({
      envelope,
      delivery: { service: each.service, state, pending },
    }));
  });
  const order = (one: (typeof found)[number]) => `${one.envelope.timestamp} ${one.envelope.id}`;
  const newest = found.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)).slice(-limit);
  for (const { envelope, delivery } of newest) print(state ? { ...envelope, ...delivery } : envelope);
}

export async function listDeadLetters({ service, limit }: Selection): Promise<void> {
  const letters = await onDatabases(service, async (each) => {
    const dead = await listDead(each.database, { limit });
    return dead.map((letter) => ({ service: each.service, ...letter }));
  });
  for (const letter of letters.slice(0, limit)) print(letter);
}

/** Replays a letter with all of its aggregate, or everything. The running app does it; this only asks. */
export async function replay(
  id: string | undefined,
  { all, service }: { all?: boolean; service?: string },
): Promise<void> {
  if ((id === undefined) === (all !== true)) throw new UsageError("say which: the id of one dead letter, or --all");
  const asked = await onDatabases(service, async (each) => {
    const replayRequested = await replayDead(each.database, id === undefined ? "all" : { id });
    return replayRequested === 0 ? [] : [{ service: each.service, replayRequested }];
  });
  if (asked.length === 0 && id !== undefined) throw notDead(id);
  for (const one of asked) print(one);
}

/** Its event will have no effect, ever. */
export async function drop(id: string, { service }: { service?: string }): Promise<void> {
  const dropped = await onDatabases(service, async (each) =>
    (await dropDead(each.database, id)) ? [{ service: each.service, dropped: id }] : [],
  );
  if (dropped.length === 0) throw notDead(id);
  for (const one of dropped) print(one);
}

function notDead(id: string): Error {
  return new Error(`${id} is not among the dead letters. \`ashlar events dead\` lists them.`);
}

/** Asks the database of every service, or of one. Services that share a database are asked once. */
async function onDatabases<T>(service: string | undefined, ask: (each: ServiceDatabase) => Promise<T[]>): Promise<T[]> {
  const found = await findApp();
  const { contracts } = found.app.definition;
  if (service !== undefined && !contracts.some(({ name }) => name === service)) {
    throw new UsageError(`there is no service "${service}"; there are ${contracts.map(({ name }) => name).join(", ")}`);
  }
  const chosen = new Map(
    contracts.filter(({ name }) => service === undefined || name === service).map((one) => [one.database, one.name]),
  );
  const { databases, close } = await openDatabases(found, settingsOf(found).system, {
    create: false,
    log: silentLogger,
  });
  try {
    const each = [...chosen].map(([name, owner]) => ask({ service: owner, database: databases.get(name)! }));
    return (await Promise.all(each)).flat();
  } catch (error) {
    if ((error as { code?: string }).code !== undefinedTable) throw error;
    throw new Error("The databases have not been migrated yet. Start the app once, or run `ashlar migrate`.", {
      cause: error,
    });
  } finally {
    await close();
  }
}

const undefinedTable = "42P01";

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
