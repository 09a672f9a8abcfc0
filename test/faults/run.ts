// A run from an empty installation to the verdicts.

import { isReplayed, type Placed } from "./client.ts";
import { readFacts, settled } from "./facts.ts";
import { type Installation, openInstallation } from "./installation.ts";
import { killInTurn, type Outage } from "./kills.ts";
import { type Arrival, arrivalMsMax, outliveNats } from "./nats-outage.ts";
import { type Plan, planOf } from "./plan.ts";
import { openShop, type Shop } from "./shop.ts";
import { type Verdict, verdictsOn } from "./verdicts.ts";

export interface RunOptions {
  scenario: "kills" | "nats-outage";
  checkouts: number;
  clients: number;
  rounds: number;
  seed: number;
  absentMs: number;
  outageMs: number;
  onProgress(answered: number, doing: string): void;
}

export interface Report {
  outages: readonly Outage[];
  arrival?: Arrival;
  /** From the last answer until no event waited and no stock was set aside. */
  settledMs: number;
  verdicts: readonly Verdict[];
}

/** Longer than a reservation lives without its order. */
const settleMsMax = 150_000;

export async function run(options: RunOptions): Promise<Report> {
  const plan = planOf({ ...options, customers: options.clients });
  const installation = await openInstallation();
  const { scenario, ...seen } = await play(installation, plan, options).catch(async (error: unknown) => {
    await installation.stop();
    throw error;
  });
  const endings = await installation.stop();
  const verdicts = verdictsOn({ plan, ...scenario, ...seen, endings, errors: installation.errors() });
  const { outages, arrival } = scenario;
  if (arrival === undefined) return { outages, settledMs: seen.settledMs, verdicts };
  return { outages, arrival, settledMs: seen.settledMs, verdicts: [...verdicts, inTime(arrival)] };
}

/** Plays the scenario, lets everything settle, and looks at what there is. */
async function play(installation: Installation, plan: Plan, options: RunOptions) {
  const { databases } = installation;
  const shop = await openShop(installation, plan, options.clients);
  const scenario =
    options.scenario === "kills"
      ? { ...(await killInTurn(installation, shop, plan, options)), arrival: undefined }
      : await loseNats(installation, shop, plan, options);
  const settledMs = await settled(databases, settleMsMax);
  await shop.signInAgain();
  const notReplayed = await replay(shop, scenario.placed, options.clients);
  return { scenario, products: shop.products, settledMs, notReplayed, facts: await readFacts(databases) };
}

async function loseNats(installation: Installation, shop: Shop, plan: Plan, options: RunOptions) {
  const { outage, ...rest } = await outliveNats(installation, shop, plan, options);
  return { ...rest, outages: [outage] };
}

/** The orders whose answer does not come back as it was. */
async function replay(shop: Shop, placed: readonly Placed[], clients: number): Promise<Placed[]> {
  const orders = placed.filter(({ id }) => id !== undefined).values();
  const options = { shop, onTrouble: () => {} };
  const changed: Placed[] = [];
  const client = async () => {
    for (const one of orders) if (!(await isReplayed(options, one))) changed.push(one);
  };
  await Promise.all(Array.from({ length: clients }, client));
  return changed;
}

function inTime({ waiting, arrivedMs }: Arrival): Verdict {
  const found = `${waiting} waited, the last was there after ${(arrivedMs / 1_000).toFixed(1)} s`;
  const what = `All events arrive within ${arrivalMsMax / 1_000} s of the return of NATS`;
  return { what, found, wrong: waiting > 0 && arrivedMs <= arrivalMsMax ? [] : [found] };
}
