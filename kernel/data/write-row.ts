// A row as JSON, straight from what PostgreSQL answered.
//
// Most answers show rows as they are. To make values of them, an object of those, another with what may be seen, and text
// of that again was half of what a page cost. JSON that PostgreSQL keeps (the lines of an order) is not read at all.

import { type Resource, schemaOf } from "../contract/index.ts";
import { type Column, unquoted } from "./columns.ts";
import type { Row } from "./queryable.ts";

interface Part {
  /** What comes before the value: `{"id":`, then `,"name":`. */
  start: string;
  name: string;
  write(value: unknown): string;
}

/** Writes what clients may see of a row, in the newest shape. */
export function rowWriter(resource: Resource, columns: ReadonlyMap<string, Column>): (row: Row) => string {
  const visible = Object.keys(schemaOf(resource.representation).properties!);
  const parts = visible.map((property, index): Part => {
    const column = columns.get(property)!;
    const start = `${index === 0 ? "{" : ","}${JSON.stringify(property)}:`;
    return { start, name: unquoted(column), write: column.write };
  });
  return (row) => {
    let written = "";
    for (const { start, name, write } of parts) written += start + write(row[name]);
    return `${written}}`;
  };
}
