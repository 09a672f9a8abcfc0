import { Failure } from "ashlar/contract";
import { type Context, createRow, implement, type StandardInput } from "ashlar/service";
import { books } from "../books/contract.ts";
import { loan, loans, unknownBook } from "./contract.ts";

export const loansService = implement(loans, {
  migrations: new URL("./migrations/", import.meta.url),
  standard: { createLoan },
});

/** The title is kept as it was on the day of the loan. */
async function createLoan(ctx: Context, { body }: StandardInput) {
  const bookId = String(body.bookId);
  const found = await ctx.call(books.operations.titlesOfBooks, { body: { bookIds: [bookId] } });
  const book = found.books[0];
  if (book === undefined)
    throw new Failure(unknownBook, "There is no such book", {
      details: [{ field: "bookId", message: "is not a book" }],
    });
  return createRow(ctx, loan, { ...body, title: book.title });
}
