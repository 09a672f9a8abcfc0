import {
  anyone,
  currency,
  errorCode,
  errors,
  event,
  id,
  integer,
  list,
  money,
  object,
  oneOf,
  post,
  resource,
  role,
  service,
  servicesOnly,
  text,
} from "ashlar/contract";
import { versions } from "../../api.ts";

const admin = role("admin");

export const product = resource("product", {
  path: "/products",
  id: "prd",
  properties: {
    sku: text({ min: 1, max: 64, pattern: "^[A-Za-z0-9._-]+$", examples: ["MUG-350-WHT"] }),
    name: text({ min: 1, max: 200 }),
    description: text({ max: 5000, default: "" }),
    price: money({ max: 99_999_999.99, examples: [99.99] }),
    currency: currency({ examples: ["EUR"] }),
    stock: integer({ min: 0, default: 0, description: "What can be sold now" }),
  },
  filterable: ["sku", "currency", "price", "stock"],
  sortable: ["name", "price", "stock"],
  searchable: ["name", "description"],
  // Every sale changes the stock.
  searchTable: "product_texts",
  unique: [["sku"]],
  softDelete: { restorableBy: admin },
  precondition: "required",
  cache: { ttlMs: 60_000, staleMs: 60_000, negativeMs: 10_000 },
  access: { list: anyone, get: anyone, create: admin, bulk: admin, replace: admin, update: admin, remove: admin },
});

const quantity = () => integer({ min: 1, max: 99_900 });
const reserved = list(object({ productId: id("prd"), quantity: integer({ min: 1 }) }), { max: 100 });
const line = object({
  productId: id("prd"),
  sku: text({ max: 64 }),
  name: text({ max: 200 }),
  unitPrice: money(),
  currency: currency(),
});

/** Who checks out is told in a moment that it does not work, and does not wait as long as a request may take. */
const callTimeoutMs = 2_000;

export const insufficientStock = errorCode("INSUFFICIENT_STOCK", 409, "Less is in stock than was asked for");
export const unknownProduct = errorCode("UNKNOWN_PRODUCT", 422, "There is no such product");

/** The stock of an order left the shelf for good. */
export const stockCommitted = event("stock.committed", {
  aggregate: "ord",
  summary: "The stock an order reserved is sold",
  data: object({ orderId: id("ord"), items: reserved }),
});
/** The stock of an order came back. */
export const stockReleased = event("stock.released", {
  aggregate: "ord",
  summary: "The stock an order held is for sale again",
  data: object({ orderId: id("ord"), items: reserved, reason: oneOf(["cancelled", "expired", "refused"]) }),
});

export const catalog = service("catalog", {
  database: "catalog",
  summary: "Products and their stock",
  versions,
  resources: [product],
  events: [stockCommitted, stockReleased],
  subscribes: ["order.created", "order.cancelled"],
  operations: {
    priceProducts: post("/products/prices", {
      summary: "What products are called and cost now; unknown ones are left out",
      body: object({ productIds: list(id("prd"), { max: 100 }) }),
      returns: object({ products: list(line, { max: 100 }) }),
      status: 200,
      access: servicesOnly,
      repeatable: true,
      timeoutMs: callTimeoutMs,
    }),
    reserveStock: post("/stock/reservations", {
      summary: "Set stock aside for an order, until it is placed or the reservation expires",
      description: "Idempotent by orderId: repeating it answers the same lines and takes nothing twice.",
      body: object({
        orderId: id("ord"),
        items: list(object({ productId: id("prd"), quantity: quantity() }), { min: 1, max: 100 }),
      }),
      returns: object({ items: list(line, { max: 100 }) }),
      status: 200,
      access: servicesOnly,
      errors: [insufficientStock, unknownProduct, errors.conflict],
      repeatable: true,
      timeoutMs: callTimeoutMs,
    }),
    releaseStock: post("/stock/releases", {
      summary: "Give back what an order that will not be placed had set aside",
      body: object({ orderId: id("ord") }),
      access: servicesOnly,
      repeatable: true,
      timeoutMs: callTimeoutMs,
    }),
  },
});
