// NATS is away for longer than it remembers messages, while people buy; then it comes back with an empty store.

import { place, type Placed } from "./client.ts";
import { settled } from "./facts.ts";
import type { Installation } from "./installation.ts";
import { newOutage, optionsOf, type Outage } from "./kills.ts";
import { setTimeout as pause } from "node:timers/promises";
import type { Checkout, Plan } from "./plan.ts";
import type { Shop } from "./shop.ts";

export interface NatsOutageOptions {
  outageMs: number;
  clients: number;
  onProgress(answered: number, doing: string): void;
}

export interface Arrival {
  /** Events that waited when NATS came back. */
  waiting: number;
  /** From its return until the last of them had its effect, and all that followed from that. */
  arrivedMs: number;
}

/** The issue of this project promises it; the command fails when it takes longer. */
export const arrivalMsMax = 60_000;

export async function outliveNats(
  { nats, databases, healthy }: Installation,
  shop: Shop,
  { checkouts }: Plan,
  { outageMs, clients, onProgress }: NatsOutageOptions,
): Promise<{ placed: Placed[]; outage: Outage; arrival: Arrival }> {
  const placed: Placed[] = [];
  const outage = newOutage({ name: "NATS" });
  const startMs = performance.now();
  // The first tenth is bought before, the rest throughout the outage.
  const before = Math.floor(checkouts.length / 10);
  const buy = buyWithin(shop, outage, (one) => {
    placed.push(one);
    outage.longestMs = Math.max(outage.longestMs, one.tookMs);
    onProgress(placed.length, `NATS, ${Math.round((performance.now() - startMs) / 1_000)} s`);
  });
  await buy(checkouts.slice(0, before), clients, 0);
  const killedAtMs = performance.now();
  await nats.kill();
  const buying = buy(checkouts.slice(before), clients, outageMs * 0.95);
  await pause(outageMs);
  await buying;
  outage.answered = placed.length - before;
  const waiting = await pendingIn(databases);
  await nats.restart({ wiped: true });
  const backAtMs = performance.now();
  await settled(databases, 2 * arrivalMsMax);
  const arrivedMs = performance.now() - backAtMs;
  await healthy();
  outage.upAgainMs = performance.now() - killedAtMs;
  return { placed, outage, arrival: { waiting, arrivedMs } };
}

/** Buys at an even pace, so that the last checkout begins when the time is over. */
function buyWithin(shop: Shop, outage: Outage, onPlaced: (placed: Placed) => void) {
  const options = optionsOf(shop, outage);
  return async (checkouts: readonly Checkout[], clients: number, withinMs: number) => {
    const startMs = performance.now();
    const waiting = checkouts.entries();
    const client = async () => {
      for (const [index, checkout] of waiting) {
        await pause(Math.max(0, startMs + (index / checkouts.length) * withinMs - performance.now()));
        onPlaced(await place(options, checkout));
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
  };
}

async function pendingIn(databases: Installation["databases"]): Promise<number> {
  let count = 0;
  for (const database of databases.values()) count += (await database.query("select from ashlar.pending")).rowCount;
  return count;
}
