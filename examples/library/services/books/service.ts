import { implement } from "ashlar/service";
import { book, books } from "./contract.ts";

export const booksService = implement(books, {
  migrations: new URL("./migrations/", import.meta.url),
  handlers: {
    async titlesOfBooks(ctx, { body }) {
      const rows = await ctx.table(book).getMany(ctx.db, body.bookIds);
      return { books: rows.map(({ id, title }) => ({ bookId: id, title })) };
    },
  },
});
