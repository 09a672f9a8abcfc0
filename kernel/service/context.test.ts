import assert from "node:assert/strict";
import { after, test } from "node:test";
import { silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { createDeadline } from "../call/index.ts";
import { createDatabase, createTable, type Database } from "../data/index.ts";
import { createTestDatabase } from "../testing/index.ts";
import { createContext, type ServiceParts } from "./context.ts";
import { book, libraryService } from "./library/library.ts";
import { migrationsOf } from "./running.ts";

const { url } = await createTestDatabase({ migrations: migrationsOf(libraryService()) });
const database = createDatabase({ url, log: silentLogger, clock: systemClock });
after(() => database.close());

test("rows that many requests ask for in one turn are read with one statement", async () => {
  const sent: unknown[] = [];
  const counted: Database = {
    ...database,
    query(sql, values, options) {
      sent.push(sql);
      return database.query(sql, values, options);
    },
  };
  const tables = new Map([[book.name, createTable(book)]]);
  const parts = { database: counted, tables, clock: systemClock, random: systemRandom } as unknown as ServiceParts;
  const contexts = Array.from({ length: 10 }, (_, index) =>
    createContext(parts, {
      caller: { kind: "nobody", address: "" },
      requestId: String(index),
      traceparent: undefined,
      deadline: createDeadline(systemClock, 10_000),
      log: silentLogger,
    }),
  );
  const read = await Promise.all(contexts.map((ctx) => ctx.table(book).get(ctx.db, ctx.newId("bok"))));
  assert.deepEqual(new Set(read), new Set([undefined]));
  assert.equal(sent.length, 1);
  for (const { deadline } of contexts) deadline.end();
});
