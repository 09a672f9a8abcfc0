import { implement, on, onTogether, type Implementation } from "ashlar/service";
import { stockCommitted } from "../catalog/contract.ts";
import { user } from "../identity/contract.ts";
import { emptyCart, getCart, removeCartItem, setCartItem } from "./cart.ts";
import { placeOrder } from "./checkout.ts";
import { orders } from "./contract.ts";
import { abandonOrders, listOrderItems, updateOrder } from "./orders.ts";
import { closeAccount, confirmOrders } from "./subscribers.ts";

export function ordersService(): Implementation {
  return implement(orders, {
    migrations: new URL("./migrations/", import.meta.url),
    handlers: {
      getCart,
      setCartItem,
      removeCartItem,
      emptyCart,
      placeOrder,
      placeOrderOfUser: placeOrder,
      listOrderItems,
      abandonOrders,
    },
    standard: { updateOrder },
    subscribers: [onTogether(stockCommitted, confirmOrders), on(user.events.deleted!, closeAccount)],
  });
}
