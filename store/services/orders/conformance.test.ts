import { encodeId, systemClock, systemRandom, uuidv7 } from "ashlar/base";
import { conformance, startTestSystem, type TestSystem } from "ashlar/testing";
import { catalog } from "../catalog/contract.ts";
import { catalogService } from "../catalog/service.ts";
import { order, orders } from "./contract.ts";
import { ordersService } from "./service.ts";
const [able, stranger, customer] = Array.from({ length: 3 }, () =>
  encodeId("usr", uuidv7(systemClock, systemRandom)),
) as [string, string, string];
await conformance({
  contract: orders,
  resource: order,
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
    stranger: await system.authorization({ userId: stranger }),
  }),
  body: () => ({}),
  variation: (row) => ({
    status: row.status === "pending" ? "cancelled" : row.status === "confirmed" ? "shipped" : "cancelled",
  }),
  async make(system: TestSystem, n) {
    const admin = await system.authorization({ userId: able, roles: ["admin"] });
    const p = await system.request("POST", "/v1/products", {
      authorization: admin,
      body: { sku: `S${n}`, name: "x", price: 1 + (n % 5), currency: "EUR", stock: 5 },
    });
    const o = await system.request("POST", "/v1/orders", {
      authorization: await system.authorization({ userId: customer }),
      body: { items: [{ productId: p.json.id, quantity: 1 }] },
    });
    await system.settled();
    return o.json.id;
  },
});
