// Everything the store needs is killed in turn, amid checkouts: kill -9, a moment of absence, back.

import { type ClientOptions, place, type Placed, type Trouble } from "./client.ts";
import type { Installation, Victim } from "./installation.ts";
import { setTimeout as pause } from "node:timers/promises";
import type { Checkout, Plan } from "./plan.ts";
import type { Shop } from "./shop.ts";

export interface Outage {
  victim: string;
  /** Checkouts that were answered between the kill and the moment everything was up again. */
  answered: number;
  /** Tries of clients that told them nothing, and were repeated. */
  troubles: Map<Trouble, number>;
  /** Until `/health` said that everything is up. */
  upAgainMs: number;
  /** The longest that a client waited for the answer to a checkout. */
  longestMs: number;
}

export interface KillOptions {
  rounds: number;
  clients: number;
  /** How long a victim is away before it is started again; PostgreSQL is started at once, by its keeper. */
  absentMs: number;
  onProgress(answered: number, doing: string): void;
}

export async function killInTurn(
  { victims, healthy }: Installation,
  shop: Shop & { signInAgain(): Promise<void> },
  { checkouts }: Plan,
  { rounds, clients, absentMs, onProgress }: KillOptions,
): Promise<{ placed: Placed[]; outages: Outage[] }> {
  const kills = Array.from({ length: rounds }, () => victims).flat();
  const placed: Placed[] = [];
  const outages: Outage[] = [];
  for (const [index, victim] of kills.entries()) {
    await shop.signInAgain();
    // Each kill has checkouts of its own, so that none falls into a quiet moment.
    const share = checkouts.slice(shareOf(index, kills, checkouts), shareOf(index + 1, kills, checkouts));
    const outage = newOutage(victim);
    const before = placed.length;
    const buying = buy(share, clients, optionsOf(shop, outage), (one) => {
      placed.push(one);
      outage.longestMs = Math.max(outage.longestMs, one.tookMs);
      onProgress(placed.length, `${victim.name} (${index + 1} of ${kills.length})`);
    });
    // Somewhere in its first half, so that there are others left for the outage.
    const killAfter = Math.floor((share.length * (index % 5)) / 10);
    while (placed.length - before < killAfter) await pause(1);
    const answeredBefore = placed.length;
    const killedAtMs = performance.now();
    await victim.kill();
    await pause(absentMs);
    await victim.restart();
    await healthy();
    outage.upAgainMs = performance.now() - killedAtMs;
    outage.answered = placed.length - answeredBefore;
    await buying;
    outages.push(outage);
  }
  return { placed, outages };
}

/** As many clients at once as there are, each with one checkout at a time. */
export async function buy(
  checkouts: readonly Checkout[],
  clients: number,
  options: ClientOptions,
  onPlaced: (placed: Placed) => void,
): Promise<void> {
  const waiting = checkouts.values();
  const client = async () => {
    for (const checkout of waiting) onPlaced(await place(options, checkout));
  };
  await Promise.all(Array.from({ length: clients }, client));
}

export function newOutage({ name }: Pick<Victim, "name">): Outage {
  return { victim: name, answered: 0, troubles: new Map(), upAgainMs: 0, longestMs: 0 };
}

export function optionsOf(shop: Shop, { troubles }: Outage): ClientOptions {
  return { shop, onTrouble: (trouble) => void troubles.set(trouble, (troubles.get(trouble) ?? 0) + 1) };
}

function shareOf(index: number, kills: readonly Victim[], checkouts: readonly Checkout[]): number {
  return Math.round((index / kills.length) * checkouts.length);
}
