// What a statement costs, in the database's own words: EXPLAIN ANALYZE.

import type { Statement, Tx } from "../../data/index.ts";

export interface Sent {
  sql: Statement;
  values: readonly unknown[];
}

export interface Explained {
  Plan: PlanNode;
  "Planning Time": number;
  "Execution Time": number;
}

interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
  Plans?: PlanNode[];
}

type Answer = Record<string, unknown> & { "QUERY PLAN": [Explained] };

const command = "explain (analyze, buffers, format json)";

/** Runs a statement as it is sent: prepared ones by the plan that is kept for all values, others by their own. */
export async function explain(tx: Tx, { sql, values }: Sent): Promise<Explained> {
  const { text, name } = typeof sql === "string" ? { text: sql } : sql;
  if (name === undefined) return (await tx.query<Answer>(`${command} ${text}`, values)).rows[0]!["QUERY PLAN"][0];
  await tx.query("set local plan_cache_mode = force_generic_plan");
  await tx.query(`prepare explained as ${text}`);
  // EXPLAIN takes no parameters for EXECUTE, so the values are written out; a list has none that are not plain.
  const literals = values.map((value) => `'${String(value).replaceAll("'", "''")}'`);
  const execute = `execute explained${literals.length > 0 ? `(${literals.join(", ")})` : ""}`;
  const { rows } = await tx.query<Answer>(`${command} ${execute}`);
  await tx.query("deallocate explained");
  return rows[0]!["QUERY PLAN"][0];
}

/** What a statement read of tables. */
export interface Reading {
  /** `Seq Scan on products`, `Index Scan using products_by_name`. */
  scans: string[];
  sequential: boolean;
  /** Rows that were looked at, those that were then dropped included. */
  rows: number;
}

export function readingOf({ Plan: plan }: Explained): Reading {
  const scans = nodesOf(plan).filter((node) => node["Relation Name"] !== undefined);
  return {
    scans: scans.map(nameOf),
    sequential: scans.some((node) => node["Node Type"] === "Seq Scan"),
    rows: Math.round(scans.reduce((sum, node) => sum + rowsOf(node), 0)),
  };
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

function nameOf(node: PlanNode): string {
  const index = node["Index Name"];
  return `${node["Node Type"]} ${index === undefined ? `on ${node["Relation Name"]}` : `using ${index}`}`;
}

function rowsOf(node: PlanNode): number {
  const dropped = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  return (node["Actual Rows"] + dropped) * node["Actual Loops"];
}
