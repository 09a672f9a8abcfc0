// The statements that the table of a resource sends for a list.

import type { ListQuery, Resource } from "../../contract/index.ts";
import { createTable, type Cursors, type Queryable, type Scope } from "../../data/index.ts";
import type { Sent } from "./explain.ts";

export interface ListOfTable {
  query: ListQuery;
  scope: Scope;
  /** The sort values of the row that the page comes after. */
  after: readonly unknown[] | undefined;
}

/** What the table sends for a request, once it was answered. */
export async function statementsOf(
  db: Queryable,
  resource: Resource,
  { query, scope, after }: ListOfTable,
): Promise<Sent[]> {
  const statements: Sent[] = [];
  const recording: Queryable = {
    query(sql, values = []) {
      statements.push({ sql, values });
      return db.query(sql, values);
    },
  };
  // Any row may be the one a page comes after, so a cursor is not opened but given.
  const cursors: Cursors = { encode: () => "", decode: () => [...(after ?? [])] };
  await createTable(resource).list(recording, query, { scope, cursors, binding: "" });
  return statements;
}
