import {
  answered,
  currency,
  del,
  either,
  errorCode,
  errors,
  event,
  get,
  id,
  integer,
  list,
  listUnder,
  money,
  moment,
  nullable,
  object,
  oneOf,
  optional,
  owner,
  pageOf,
  post,
  put,
  resource,
  role,
  self,
  service,
  servicesOnly,
  signedIn,
  text,
} from "ashlar/contract";
import { versions } from "../../api.ts";
import { insufficientStock, unknownProduct } from "../catalog/contract.ts";

export const statuses = ["pending", "confirmed", "shipped", "delivered", "cancelled"] as const;

export const orderItem = object({
  id: id("itm"),
  productId: id("prd"),
  sku: text({ max: 64 }),
  name: text({ max: 200 }),
  quantity: integer({ min: 1 }),
  unitPrice: money(),
  lineTotal: money(),
});

export const illegalTransition = errorCode("ILLEGAL_TRANSITION", 409, "An order in this status cannot take that step");

export const order = resource("order", {
  path: "/orders",
  id: "ord",
  properties: { status: oneOf(statuses) },
  readOnly: { userId: id("usr"), items: list(orderItem, { max: 100 }), total: money(), currency: currency() },
  filterable: ["status", "total"],
  sortable: ["total", "status"],
  owner: "userId",
  precondition: "required",
  access: {
    list: either(owner, role("admin")),
    get: either(owner, role("admin")),
    update: either(owner, role("admin")),
  },
  errors: { update: [illegalTransition, errors.forbidden] },
  // Orders announce their steps under names of their own.
  events: false,
});

const steps = object({ userId: id("usr"), total: money(), currency: currency(), items: list(orderItem, { max: 100 }) });
export const orderCreated = event("order.created", {
  aggregate: "ord",
  summary: "A customer placed an order",
  data: steps,
});
export const orderConfirmed = event("order.confirmed", {
  aggregate: "ord",
  summary: "The stock of an order is sold",
  data: steps,
});
export const orderShipped = event("order.shipped", {
  aggregate: "ord",
  summary: "An order left the house",
  data: steps,
});
export const orderDelivered = event("order.delivered", { aggregate: "ord", summary: "An order arrived", data: steps });
export const orderCancelled = event("order.cancelled", {
  aggregate: "ord",
  summary: "An order will not be delivered",
  data: steps,
});

export const emptyCart = errorCode("EMPTY_CART", 422, "There is nothing in the cart");
export const mixedCurrencies = errorCode("MIXED_CURRENCIES", 422, "The items are priced in different currencies");
export const totalTooLarge = errorCode("TOTAL_TOO_LARGE", 422, "The total is beyond what can be represented exactly");
export const priceChanged = errorCode("PRICE_CHANGED", 409, "The total is not what the customer expected");
export const cartChanged = errorCode("CART_CHANGED", 409, "The cart changed while it was checked out");

const quantity = () => integer({ min: 1, max: 999 });
const cart = object({
  userId: id("usr"),
  items: list(
    object({
      productId: id("prd"),
      sku: text({ max: 64 }),
      name: text({ max: 200 }),
      quantity: quantity(),
      unitPrice: money(),
      lineTotal: money(),
    }),
    { max: 100 },
  ),
  total: answered(nullable(money())),
  currency: answered(nullable(currency())),
  version: integer({ min: 0 }),
  updatedAt: answered(nullable(moment())),
});

const checkout = {
  body: object({
    items: optional(list(object({ productId: id("prd"), quantity: quantity() }), { min: 1, max: 100 })),
    expectedTotal: optional(money()),
  }),
  returns: order,
  errors: [emptyCart, unknownProduct, mixedCurrencies, totalTooLarge, insufficientStock, priceChanged, cartChanged],
  emits: [orderCreated],
  limit: { class: "default" },
};

export const orders = service("orders", {
  database: "orders",
  summary: "Carts, checkout and the life of an order",
  versions,
  resources: [order],
  events: [orderCreated, orderConfirmed, orderShipped, orderDelivered, orderCancelled],
  subscribes: ["stock.committed", "user.deleted"],
  lists: { listOrdersOfUser: listUnder(order, "/users/{userId}/orders", either(self("userId"), role("admin"))) },
  operations: {
    getCart: get("/users/{userId}/cart", {
      summary: "Read your cart at today's prices",
      params: { userId: id("usr") },
      returns: cart,
      access: self("userId"),
    }),
    setCartItem: put("/users/{userId}/cart/items/{productId}", {
      summary: "Put a product into your cart, or change how many",
      params: { userId: id("usr"), productId: id("prd") },
      body: object({ quantity: quantity() }),
      returns: cart,
      access: self("userId"),
      errors: [unknownProduct, mixedCurrencies, errors.unprocessable],
    }),
    removeCartItem: del("/users/{userId}/cart/items/{productId}", {
      summary: "Take a product out of your cart",
      params: { userId: id("usr"), productId: id("prd") },
      access: self("userId"),
    }),
    emptyCart: del("/users/{userId}/cart", {
      summary: "Empty your cart",
      params: { userId: id("usr") },
      access: self("userId"),
    }),
    placeOrder: post("/orders", {
      ...checkout,
      summary: "Check out: the cart, or the items in the body",
      access: signedIn,
    }),
    placeOrderOfUser: post("/users/{userId}/orders", {
      ...checkout,
      summary: "Check out, at the address of the user",
      params: { userId: id("usr") },
      access: self("userId"),
    }),
    listOrderItems: get("/orders/{id}/items", {
      summary: "List the items of an order",
      params: { id: id("ord") },
      returns: pageOf(orderItem),
      access: signedIn,
    }),
    abandonOrders: post("/orders/abandoned", {
      summary: "Say of orders whether they were placed, and make sure the others never will be",
      body: object({ orderIds: list(id("ord"), { max: 100 }) }),
      returns: object({ placed: list(object({ orderId: id("ord"), status: oneOf(statuses) }), { max: 100 }) }),
      status: 200,
      access: servicesOnly,
      repeatable: true,
    }),
  },
});
