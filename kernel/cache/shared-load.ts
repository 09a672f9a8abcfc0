// A load that takes what another process has loaded, and of several processes that miss lets one load.
//
// A lease is a courtesy: who cannot get one waits a moment for who has it, and then loads by itself. Whatever the
// store answers, or does not, the worst it can cause is another load.

import type { Clock } from "../base/index.ts";
import type { Follower } from "./follower.ts";
import { type CacheRule, lifeOf } from "./rule.ts";
import { type Kept, type SharedStore, sharedBytesMax } from "./shared-store.ts";
import type { Tags } from "./tags.ts";

export type Load = () => Promise<string | undefined>;

/** The value as JSON; with `ageMs`, which another process loaded so long ago. */
export interface Loaded {
  json: string | undefined;
  ageMs?: number;
}

interface Parts {
  follower: Follower;
  tags: Tags;
  clock: Clock;
}

const leaseWaitMs = 20;
const leaseWaitsMax = 10;

export async function loadShared(
  parts: Parts,
  store: SharedStore,
  key: string,
  rule: CacheRule,
  load: Load,
): Promise<Loaded> {
  const { follower, tags, clock } = parts;
  const { ttlMs, staleMs = 0, negativeMs = 0 } = rule;
  // After a release with other times the processes of both share nothing, until the older ones are gone.
  const sharedKey = `${follower.known()!.database} ${ttlMs} ${staleMs} ${negativeMs} ${key}`;
  for (let waits = 0; waits < leaseWaitsMax; waits++) {
    const found = await store.find(sharedKey, tags.changedBelow(rule.tags)).catch(() => undefined);
    if (found === undefined) break;
    if (found.state === "yours") return { json: await loadAndKeep(parts, store, sharedKey, rule, load, found.lease) };
    if (found.state === "kept") {
      const { json } = found.kept;
      if (!(await isOfThisHistory(follower, found.kept))) break;
      return { json, ageMs: Math.max(0, (lifeOf(rule, json)?.freshMs ?? 0) - found.freshForMs) };
    }
    await clock.sleep(leaseWaitMs);
  }
  return { json: await load() };
}

async function loadAndKeep(
  { follower, tags }: Parts,
  store: SharedStore,
  key: string,
  rule: CacheRule,
  load: Load,
  lease: string,
): Promise<string | undefined> {
  // Taken before the load: all below it was over when that began.
  const { below } = follower.known()!;
  const giveUp = () => store.giveUp(key, lease).catch(() => {});
  let json: string | undefined;
  try {
    json = await load();
  } catch (error) {
    void giveUp();
    throw error;
  }
  const life = lifeOf(rule, json);
  const isWorthIt =
    life !== undefined && below >= tags.changedBelow(rule.tags) && (json?.length ?? 0) <= sharedBytesMax;
  // The answer does not wait for it.
  if (isWorthIt) store.keep(key, { json, below }, life, lease).catch(() => {});
  else void giveUp();
  return json;
}

/**
 * Another process may know of more transactions, for a moment. What was read beyond all that are there, though, was
 * read before the database was set back to an earlier state.
 */
async function isOfThisHistory(follower: Follower, { below }: Kept): Promise<boolean> {
  if (below > follower.known()!.below) await follower.look();
  return below <= follower.known()!.below;
}
