import type { Database } from "ashlar/data";

/** Fills a table. An index is made faster over a million rows than a million times by one. */
export async function fillWithoutIndexes(
  database: Database,
  table: string,
  fill: () => Promise<unknown>,
): Promise<void> {
  const { rows: indexes } = await database.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
     from pg_index where indrelid = $1::regclass and not exists (select from pg_constraint where conindid = indexrelid)`,
    [table],
  );
  for (const { name } of indexes) await database.query(`drop index ${name}`);
  await fill();
  for (const { definition } of indexes) await database.query(definition);
  await database.query(`vacuum (analyze) ${table}`);
}
