import type { In } from "../../contract/index.ts";
import type { Context } from "../context.ts";
import { implement, type Implementation } from "../implement.ts";
import type { invoices } from "./contract.ts";

type Contract = ReturnType<typeof invoices>;

export function invoicesService(contract: Contract): Implementation {
  return implement(contract, { migrations: new URL("./migrations/", import.meta.url), handlers: { countInvoices } });
}

/** Answers what it was asked, too: tests look at what became of the parameters. */
async function countInvoices(ctx: Context, { query }: In<Contract["operations"]["countInvoices"]>) {
  const { status, from, atLeast } = query;
  const { rows } = await ctx.db.query<{ count: number }>(
    "select count(*)::int as count from invoices where deleted_at is null and ($1::text is null or status = $1) and ($2::date is null or due_on >= $2)",
    [status, from],
  );
  return { status: status ?? null, from: from ?? null, atLeast: atLeast!, count: rows[0]!.count };
}
