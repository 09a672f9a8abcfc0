import { encodeId, systemClock, systemRandom, uuidv7 } from "ashlar/base";
import { conformance, startTestSystem } from "ashlar/testing";
import { orders } from "../orders/contract.ts";
import { ordersService } from "../orders/service.ts";
import { catalog, product } from "./contract.ts";
import { catalogService } from "./service.ts";

const [able, other, stranger] = Array.from({ length: 3 }, () => encodeId("usr", uuidv7(systemClock, systemRandom))) as [
  string,
  string,
  string,
];

await conformance({
  contract: catalog,
  resource: product,
  // Catalog listens to orders, so the two are started together.
  start: (settings) =>
    startTestSystem({
      definition: {
        name: "shop",
        title: "Shop",
        version: "0.0.0",
        contracts: [catalog, orders],
        services: () => [catalogService(), ordersService()],
      },
      ...(settings === undefined ? {} : { settings }),
    }),
  callers: async (system) => ({
    able: await system.authorization({ userId: able, roles: ["admin"] }),
    other: await system.authorization({ userId: other, roles: ["admin"] }),
    stranger: await system.authorization({ userId: stranger }),
  }),
  body: (n) => ({
    sku: `SKU-${n}`,
    name: `A thing 100% _nice_ ${n}`,
    description: n % 2 === 0 ? "" : `Described ${n}`,
    price: 10 + (n % 5) + 0.01,
    currency: n % 2 === 0 ? "EUR" : "USD",
    stock: n % 4,
  }),
});
