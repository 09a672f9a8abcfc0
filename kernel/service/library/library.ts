// A library, for the tests of the cache: books for everybody, loans that are their owner's, and reads and writes of
// its own that say what they depend on and what they change.

import { encodeId } from "../../base/index.ts";
import {
  anyone,
  either,
  get,
  id,
  type In,
  integer,
  listUnder,
  nullable,
  object,
  owner,
  patch,
  post,
  resource,
  role,
  self,
  service,
  signedIn,
  text,
} from "../../contract/index.ts";
import type { Context } from "../context.ts";
import { implement } from "../implement.ts";

const librarian = role("librarian");

export const book = resource("book", {
  path: "/books",
  id: "bok",
  properties: { title: text({ max: 100 }), shelf: text({ max: 20 }) },
  private: { shelfMark: nullable(text({ max: 20 })) },
  filterable: ["shelf"],
  softDelete: { restorableBy: librarian },
  cache: { ttlMs: 60_000, negativeMs: 30_000 },
  access: { list: anyone, get: anyone, create: librarian, update: librarian, remove: librarian },
});

export const loan = resource("loan", {
  path: "/loans",
  id: "lon",
  properties: { book: text({ max: 100 }) },
  readOnly: { userId: id("usr") },
  owner: "userId",
  cache: { ttlMs: 60_000 },
  access: {
    list: either(owner, librarian),
    get: either(owner, librarian),
    create: signedIn,
    update: either(owner, librarian),
  },
});

const count = object({ count: integer(), for: text({ max: 10 }) });
const params = { shelf: text({ max: 20 }) };
const reload = { ttlMs: 60_000 };

export const library = service("library", {
  summary: "A library, for tests",
  resources: [book, loan],
  lists: { loansOfUser: listUnder(loan, "/users/{userId}/loans", self("userId")) },
  operations: {
    countBooks: get("/book-count", {
      summary: "How many books there are",
      returns: count,
      access: anyone,
      cache: { ...reload, dependsOn: [book] },
    }),
    countLoans: get("/loan-count", {
      summary: "How many loans the caller has",
      returns: count,
      access: signedIn,
      cache: { ...reload, dependsOn: [loan] },
    }),
    readShelf: get("/shelves/{shelf}", {
      summary: "How many books are on a shelf",
      params,
      returns: count,
      access: anyone,
      cache: { ...reload, dependsOn: ["shelf {shelf}"] },
    }),
    dustShelf: post("/shelves/{shelf}/dust", {
      summary: "Do something to a shelf, or fail to",
      params,
      body: object({ fails: integer({ min: 0, max: 1, default: 0 }) }),
      access: signedIn,
      invalidates: ["shelf {shelf}"],
    }),
    closeShelves: post("/closing", {
      summary: "Rename every shelf, in SQL that does not say which",
      access: librarian,
    }),
    burnBooks: post("/burning", {
      summary: "Delete every book, and tell nobody",
      access: librarian,
    }),
    moveBooks: patch("/shelves/{shelf}", {
      summary: "Rename a shelf, in SQL of its own",
      params,
      body: object({ to: text({ max: 20 }) }),
      access: librarian,
    }),
  },
});

type Operations = typeof library.operations;

/** `loaded` is told of each time that an answer is computed, and may hold it up. */
export function libraryService(loaded: (what: string) => Promise<void> | void = () => {}) {
  const counted = async (ctx: Context, what: string, sql: string, values: readonly unknown[] = []) => {
    await loaded(what);
    ctx.deadline.signal.throwIfAborted();
    const { rows } = await ctx.db.query<{ count: number }>(`select count(*)::int as count from ${sql}`, values);
    return { count: rows[0]!.count, for: ctx.caller.kind };
  };
  return implement(library, {
    migrations: new URL("./migrations/", import.meta.url),
    handlers: {
      countBooks: (ctx) => counted(ctx, "books", "books where deleted_at is null"),
      countLoans: (ctx) => counted(ctx, "loans", "loans"),
      readShelf: (ctx, { params }: In<Operations["readShelf"]>) =>
        counted(ctx, `shelf ${params.shelf}`, "books where shelf = $1", [params.shelf]),
      dustShelf: (ctx, { body }: In<Operations["dustShelf"]>) =>
        ctx.transaction(async (tx) => {
          await tx.query("select 1");
          if (body.fails === 1) throw new Error("The duster broke");
        }),
      closeShelves: (ctx) =>
        ctx.transaction(async (tx) => {
          await tx.query("update books set shelf = 'closed', version = version + 1");
          ctx.changed(tx, book, "all");
        }),
      burnBooks: (ctx) => ctx.transaction(async (tx) => void (await tx.query("delete from books"))),
      moveBooks: (ctx, { params, body }: In<Operations["moveBooks"]>) =>
        ctx.transaction(async (tx) => {
          const { rows } = await tx.query<{ id: string }>(
            "update books set shelf = $2, version = version + 1 where shelf = $1 returning id",
            [params.shelf, body.to],
          );
          const moved = rows.map((row) => ({ id: encodeId("bok", row.id) }));
          ctx.changed(tx, book, moved);
          ctx.invalidate(tx, [`shelf ${params.shelf}`]);
        }),
    },
  });
}
