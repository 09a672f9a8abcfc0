// Finds the lists of a contract that read more of their table than they show.
//
// The statements are those of the real tables. They are judged by what they read, not by the shape of their
// plan alone: an index that is walked from end to end to find ten rows is no better than the table.

import { after, test } from "node:test";
import { silentLogger, systemClock } from "../../base/index.ts";
import { type AnyOperation, maxLimit, type ServiceContract } from "../../contract/index.ts";
import { createDatabase, type Database } from "../../data/index.ts";
import { type Implementation, migrationsOf } from "../../service/index.ts";
import { createTestDatabase } from "../postgres.ts";
import { type Columns, fillTable } from "./fill-table.ts";
import { type ListRequest, listRequests } from "./list-requests.ts";
import { explain, readingOf, type Sent } from "./explain.ts";
import { statementsOf } from "./sent-statements.ts";

/** Two pages of the largest size, and room for what a bitmap brings along. */
const rowsReadMax = 4 * maxLimit;

export interface PlanOptions {
  /** By table: SQL for columns whose database has rules that the contract does not know; `n` counts the rows. */
  columns?: Readonly<Record<string, Columns>>;
}

/**
 * Registers a test for each list of a contract: on a table with twenty thousand rows, whatever it may be sorted
 * by, filtered by or searched for, its statements read the rows they answer and few others. Call it at the top
 * level of a test file, with `await`.
 */
export async function noSequentialScans(implementation: Implementation, options: PlanOptions = {}): Promise<void> {
  const { contract } = implementation;
  const { url } = await createTestDatabase({ migrations: migrationsOf(implementation) });
  const database = createDatabase({ url, log: silentLogger, clock: systemClock });
  after(() => database.close());
  for (const resource of contract.resources) await fillTable(database, resource, options.columns?.[resource.table]);
  for (const operation of Object.values(contract.allOperations).filter(({ action }) => action === "list")) {
    test(`${operation.path}: no list reads the whole table`, async () => {
      const findings = await findSequentialScans(database, contract, operation);
      if (findings.length > 0) throw new Error(`Add a migration with an index for each:\n  ${findings.join("\n  ")}`);
    });
  }
}

/** A sentence for each index that the lists of the operation lack, with a request that shows it. */
export async function findSequentialScans(
  database: Database,
  contract: ServiceContract,
  operation: AnyOperation,
): Promise<string[]> {
  const findings = new Map<string, string>();
  for (const request of await listRequests(database, contract, operation)) {
    if (findings.has(request.remedy)) continue;
    const finding = await judge(database, operation, request);
    if (finding !== undefined) findings.set(request.remedy, `${finding}: ${request.remedy}`);
  }
  return [...findings.values()];
}

async function judge(database: Database, operation: AnyOperation, request: ListRequest): Promise<string | undefined> {
  for (const sent of await statementsOf(database, operation.resource!, request)) {
    // A count reads what it counts. When that is most of the table, to read it in one sweep is right.
    const counts = textOf(sent).startsWith("select count(");
    if (counts && request.leavesMany && Object.keys(request.scope).length === 0) continue;
    const { scans, sequential, rows } = readingOf(await database.transaction((tx) => explain(tx, sent)));
    if (sequential || rows > rowsReadMax)
      return `The ${counts ? "count" : "page"} of ${request.title} reads ${rows} rows (${scans.join(", ")})`;
  }
  return undefined;
}

function textOf({ sql }: Sent): string {
  return typeof sql === "string" ? sql : sql.text;
}
