// Page 1 and page 10,000 of a list, measured by the database itself.

import { grammarOf, readListQuery, shapeOf, snakeCase } from "ashlar/contract";
import type { Database, Scope } from "ashlar/data";
import { type Explained, explain, type Sent } from "../../kernel/testing/plans/explain.ts";
import { statementsOf } from "../../kernel/testing/plans/sent-statements.ts";
import { order, orders } from "../../store/services/orders/contract.ts";

const pageSize = 20;
const farPage = 10_000;
const warmUps = 5;
const runs = 41;

export interface Cost {
  /** Milliseconds of execution, the median of all runs. */
  ms: number;
  planningMs: number;
  /** Pages of 8 KiB that were looked at. */
  buffers: number;
}

export interface Measured {
  list: string;
  first: Cost;
  farByCursor: Cost;
  farByOffset: Cost;
  count: Cost;
}

export async function measureList(
  database: Database,
  list: string,
  parameters: Record<string, string>,
  scope: Scope = {},
): Promise<Measured> {
  const ask = (more: Record<string, string>, after?: unknown[]) =>
    statementsFor(database, { ...parameters, ...more }, scope, after);
  const [count, first] = await ask({});
  const [, farByOffset] = await ask({ page: String(farPage) });
  const [farByCursor] = await ask({ cursor: "x" }, await rowBefore(database, parameters, farByOffset!));
  // The two that are compared take turns, so that whatever else the machine does meets both.
  const [firstCost, farCost] = await costsOf(database, [first!, farByCursor!], runs);
  const [offsetCost, countCost] = await costsOf(database, [farByOffset!, count!], 5);
  return { list, first: firstCost!, farByCursor: farCost!, farByOffset: offsetCost!, count: countCost! };
}

/** How many times page 1 costs what page 10,000 costs, in time or in what is looked at. */
export function ratioOf({ first, farByCursor }: Measured): number {
  return Math.max(farByCursor.ms / first.ms, farByCursor.buffers / first.buffers);
}

export async function statementsFor(
  database: Database,
  parameters: Record<string, string>,
  scope: Scope,
  after?: unknown[],
): Promise<Sent[]> {
  return statementsOf(database, order, { query: read(parameters), scope, after });
}

function read(parameters: Record<string, string>) {
  const asked = { limit: String(pageSize), ...parameters };
  const query = new Map(Object.entries(asked).map(([name, value]) => [name, [value]]));
  const { list, details } = readListQuery(grammarOf(order, shapeOf(order, 2, orders.changes)), query);
  if (details.length > 0) throw new Error(`The list refuses ${JSON.stringify(details)}`);
  return list;
}

/** The sort values of the last row of the page before. */
async function rowBefore(database: Database, parameters: Record<string, string>, { sql, values }: Sent) {
  // The far page by offset, one row earlier: its first row is the one the cursor stands for.
  const at = values.map((value) => (value === (farPage - 1) * pageSize ? value - 1 : value));
  const [row] = (await database.query(sql, at)).rows;
  return read(parameters).sort.map(({ property }) => row![snakeCase(property)]);
}

async function costsOf(database: Database, statements: readonly Sent[], times: number): Promise<Cost[]> {
  const seen: Explained[][] = statements.map(() => []);
  for (let round = 0; round < warmUps + times; round++) {
    for (const [index, sent] of statements.entries()) {
      const explained = await database.transaction((tx) => explain(tx, sent));
      if (round >= warmUps) seen[index]!.push(explained);
    }
  }
  return seen.map((all) => ({
    ms: median(all.map((one) => one["Execution Time"])),
    planningMs: median(all.map((one) => one["Planning Time"])),
    buffers: median(all.map(({ Plan: plan }) => plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])),
  }));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
