// What a request costs when there are more orders: the same work on clusters that differ in nothing else.

import { clusterFolder, openCluster } from "../compare/cluster.ts";
import { type Size, sizes } from "../compare/data.ts";
import { type DatabaseName, databases } from "../compare/fill.ts";
import { median } from "../compare/figures.ts";
import { measureWork, type Pace } from "../compare/measure.ts";
import type { Target } from "../compare/targets.ts";
import { works } from "../compare/works.ts";

export interface Cost {
  orders: number;
  target: string;
  work: string;
  perSecond: number;
  serverUs: number;
  databaseUs: number;
  /** Of server and database together, to the fewest orders. */
  toFewest?: number;
  refused?: string;
}

export interface Cores {
  serverCore: number;
  loadCore: number;
}

/** A million is what the bench itself fills, and is shared with it; the others differ from it in orders only. */
export function sizeOf(orders: number): { name: string; size: Size } {
  const full = sizes.full!;
  return orders === full.orders
    ? { name: "full", size: full }
    : { name: `${orders}-orders`, size: { ...full, orders } };
}

/** The shop of peers is as large again as the store's; without one of them it is not filled. */
export function databasesOf(targets: readonly Target[]): readonly DatabaseName[] {
  const onlyStore = targets.every(({ name }) => name === "single" || name === "split");
  return onlyStore ? databases.filter((name) => name !== "shop") : databases;
}

const grown = new Set(["W1", "W2", "W3"]);

export async function measureSizes(all: readonly number[], targets: readonly Target[], pace: Pace, cores: Cores) {
  const costs: Cost[] = [];
  const wanted = databasesOf(targets);
  for (const orders of all.toSorted((a, b) => a - b)) {
    const { name, size } = sizeOf(orders);
    const cluster = await openCluster(clusterFolder(name), size, cores.loadCore, wanted);
    try {
      const setting = { cluster, size, ...cores, profile: undefined };
      for (const work of works.filter(({ name }) => grown.has(name)))
        for (const { target, rounds, refused } of await measureWork(work, targets, pace, setting)) {
          const of = (key: "perSecond" | "serverUs" | "databaseUs") => median(rounds.map((round) => round[key]));
          const figures = { perSecond: of("perSecond"), serverUs: of("serverUs"), databaseUs: of("databaseUs") };
          costs.push({ orders, target, work: work.name, ...figures, ...(refused !== undefined && { refused }) });
        }
    } finally {
      await cluster.stop();
    }
  }
  return costs.map((one) => {
    const fewest = costs.find(({ target, work }) => target === one.target && work === one.work);
    const sum = ({ serverUs, databaseUs }: Cost) => serverUs + databaseUs;
    return fewest === undefined || fewest === one ? one : { ...one, toFewest: sum(one) / sum(fewest) };
  });
}
