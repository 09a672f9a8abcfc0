import { Failure, notFound } from "ashlar/contract";
import { implement } from "ashlar/service";
import { booking, show, soldOut, tickets } from "./contract.ts";

export const ticketsService = implement(tickets, {
  migrations: new URL("./migrations/", import.meta.url),
  handlers: {
    async bookSeats(ctx, { params, body }) {
      return ctx.transaction(async (tx) => {
        // The lock makes bookings of one show happen one after the other, so no seat is sold twice.
        const current = await ctx.table(show).get(tx, params.id, { lock: true });
        if (current === undefined) throw notFound();
        const freeSeats = current.freeSeats - body.seats;
        if (freeSeats < 0)
          throw new Failure(soldOut, "There are not enough seats left", {
            details: [{ field: "seats", message: `is more than the ${current.freeSeats} that are free` }],
          });
        await ctx.table(show).update(tx, current.id, { freeSeats }, ctx.now());
        return ctx.table(booking).insert(tx, { id: ctx.newId("bkg"), showId: current.id, ...body }, ctx.now());
      });
    },
  },
});
