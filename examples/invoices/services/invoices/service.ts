import { fromMinorUnits, sumOfLines, toMinorUnits } from "ashlar/base";
import { Failure, type Representation } from "ashlar/contract";
import { changeRow, type Context, createRow, implement, type StandardInput } from "ashlar/service";
import { alreadyPaid, invoice, invoices } from "./contract.ts";

export const invoicesService = implement(invoices, {
  migrations: new URL("./migrations/", import.meta.url),
  standard: { createInvoice, replaceInvoice: changeInvoice, updateInvoice: changeInvoice },
});

async function createInvoice(ctx: Context, { body }: StandardInput) {
  return createRow(ctx, invoice, { ...body, total: totalOf(body.lines) });
}

/** PUT and PATCH. */
async function changeInvoice(ctx: Context, input: StandardInput) {
  return changeRow(ctx, invoice, input, async (_tx, current, next) => {
    if (current.status === "paid") throw new Failure(alreadyPaid, "This invoice is paid and cannot be changed");
    return { total: totalOf(next.lines) };
  });
}

/** In integers; the largest quantity, price and number of lines stay within what money can hold. */
function totalOf(lines: unknown): number {
  const exact = (lines as Representation<typeof invoice>["lines"]).map(({ quantity, unitPrice }) => ({
    quantity,
    unitMinor: toMinorUnits(unitPrice)!,
  }));
  return fromMinorUnits(sumOfLines(exact)!);
}
