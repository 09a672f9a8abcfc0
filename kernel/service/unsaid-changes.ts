// Finds SQL that changes rows which somebody may have cached, in a transaction that does not say so. For tests and
// development: the text of the statement is looked at, so what a trigger or a cascade changes is not found.

import type { Resource } from "../contract/index.ts";
import type { Database, Tx } from "../data/index.ts";

export interface ChangeWatch {
  /** The database, whose transactions are watched. */
  readonly database: Database;
  /** The transaction has said what it changed of the resource. */
  said(tx: Tx, resource: string): void;
}

export function watchChanges(database: Database, resources: readonly Resource[]): ChangeWatch {
  const patterns = resources.map(({ name, table }) => ({ name, writes: writesTo(table) }));
  const said = new WeakMap<Tx, Set<string>>();

  const watched = (tx: Tx): Tx => {
    const changed = new Set<string>();
    const own: Tx = {
      ...tx,
      query(sql, values) {
        const text = typeof sql === "string" ? sql : sql.text;
        for (const { name, writes } of patterns) if (writes.test(text)) changed.add(name);
        return tx.query(sql, values);
      },
    };
    const known = new Set<string>();
    said.set(own, known);
    tx.beforeCommit(async () => {
      const unsaid = [...changed].find((name) => !known.has(name));
      if (unsaid !== undefined)
        throw new Error(
          `A transaction changed ${unsaid} in SQL of its own, which is cached, and did not say so. Add ctx.changed(tx, ${unsaid}, rows).`,
        );
    });
    return own;
  };
  return {
    database: { ...database, transaction: (run, options) => database.transaction((tx) => run(watched(tx)), options) },
    said: (tx, resource) => void said.get(tx)?.add(resource),
  };
}

function writesTo(table: string): RegExp {
  // A table is named after a path: letters, digits and lines.
  return new RegExp(
    `\\b(?:update|insert\\s+into|delete\\s+from|merge\\s+into|truncate)\\s+(?:only\\s+)?(?:\\w+\\.)?(?:"${table}"|${table}\\b)`,
    "i",
  );
}
