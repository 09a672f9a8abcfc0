import { implement, on, onTogether, type Implementation } from "ashlar/service";
import { orderCancelled, orderCreated } from "../orders/contract.ts";
import { catalog } from "./contract.ts";
import { priceProducts } from "./products.ts";
import { expireReservations, forgetReservations, releaseStock, reserveStock } from "./reservations.ts";
import { commitStock, returnStock } from "./subscribers.ts";

export function catalogService(): Implementation {
  return implement(catalog, {
    migrations: new URL("./migrations/", import.meta.url),
    handlers: { priceProducts, reserveStock, releaseStock },
    subscribers: [onTogether(orderCreated, commitStock), on(orderCancelled, returnStock)],
    jobs: {
      expireReservations: { everyMs: 5_000, run: expireReservations },
      forgetReservations: { everyMs: 600_000, run: forgetReservations },
    },
  });
}
