import { equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database, Tx } from "../data/index.ts";
import { book, loan } from "./library/library.ts";
import { watchChanges } from "./unsaid-changes.ts";

/** A database that runs nothing, and commits what it is given. */
const database = {
  async transaction<T>(run: (tx: Tx) => Promise<T>) {
    const last: (() => Promise<void>)[] = [];
    const result = await run({
      query: async () => ({ rows: [], rowCount: 0 }),
      beforeCommit: (work) => void last.push(work),
      afterCommit: () => {},
    });
    for (const work of last) await work();
    return result;
  },
} as unknown as Database;

const watch = watchChanges(database, [book, loan]);
const run = (statements: readonly string[], said: readonly string[] = []) =>
  watch.database.transaction(async (tx) => {
    for (const [index, text] of statements.entries()) await tx.query(index % 2 === 0 ? text : { name: "n", text });
    for (const name of said) watch.said(tx, name);
    return "done";
  });

test("a write to a table that is cached must be said, in whichever words it is written", async () => {
  for (const text of [
    "update books set title = $1",
    'UPDATE  only "books" as b set title = $1',
    "with gone as (delete from books returning id) select count(*) from gone",
    "insert into books\n (id) values ($1) on conflict (id) do update set id = excluded.id",
    "truncate public.books",
  ]) {
    await rejects(run([text]), /changed book in SQL of its own, which is cached/, text);
    await rejects(run(["select 1", text], ["loan"]), /ctx\.changed\(tx, book, rows\)/, text);
    equal(await run([text], ["book"]), "done");
  }
  await rejects(run(["update books set title = ''", "delete from loans"], ["book"]), /changed loan/);
});

test("reads, locks and tables with longer names change nothing that is cached", async () => {
  for (const text of [
    "select * from books for update",
    "update books_archive set title = $1",
    'delete from "books of old"',
    "insert into old_books select * from books",
  ])
    equal(await run([text]), "done", text);
});
