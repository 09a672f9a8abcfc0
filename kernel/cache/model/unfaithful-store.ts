// A shared store at its worst: it loses what it is given, answers late or never, and brings back what it had forgotten.

import type { Found, Kept, SharedStore } from "../shared-store.ts";
import type { World } from "./world.ts";

export function unfaithfulStore(world: World): SharedStore {
  const values = new Map<string, { kept: Kept; freshUntilMs: number }>();
  const past: { key: string; kept: Kept }[] = [];
  const leases = new Map<string, string>();
  const travel = async () => {
    await world.hop();
    if (world.chance(20) === 0) throw new Error("The store is down");
  };
  return {
    async find(key, below): Promise<Found> {
      await travel();
      const value = values.get(key);
      const freshForMs = (value?.freshUntilMs ?? 0) - world.nowMs;
      let found: Found = { state: "leased" };
      if (value !== undefined && value.kept.below >= below && freshForMs > 0)
        found = { state: "kept", kept: value.kept, freshForMs };
      else if (!leases.has(key) || world.chance(10) === 0) {
        found = { state: "yours", lease: String(world.chance(1_000_000)) };
        leases.set(key, found.lease);
      }
      await travel();
      return found;
    },
    async keep(key, kept, { freshMs }, lease) {
      await travel();
      past.push({ key, kept });
      const revived = world.chance(4) === 0 ? past[world.chance(past.length)]! : { key, kept };
      values.set(revived.key, { kept: revived.kept, freshUntilMs: world.nowMs + freshMs });
      if (leases.get(key) === lease) leases.delete(key);
      if (past.length > 200) past.shift();
      await travel();
    },
    async giveUp(key, lease) {
      await travel();
      if (leases.get(key) === lease) leases.delete(key);
    },
  };
}
