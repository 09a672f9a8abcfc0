// What the tests of orders start from: catalog and orders in one system, products, customers.

import { encodeId, systemClock, systemRandom, uuidv7 } from "ashlar/base";
import { startTestSystem, type TestAnswer, type TestSystem } from "ashlar/testing";
import type { SystemSettings } from "ashlar/runtime";
import { catalog } from "../catalog/contract.ts";
import { catalogService } from "../catalog/service.ts";
import { orders } from "./contract.ts";
import { ordersService } from "./service.ts";

export interface Shop extends TestSystem {
  admin: string;
  /** A new customer: their id and their `Authorization`. */
  customer(): Promise<{ userId: string; authorization: string }>;
  /** A new product; its representation. */
  product(values?: {
    stock?: number;
    price?: number;
    currency?: string;
  }): Promise<{ id: string; sku: string; price: number }>;
  stockOf(productId: string): Promise<number>;
  checkout(authorization: string, body: unknown, headers?: Record<string, string>): Promise<TestAnswer>;
}

export async function openShop(settings?: Partial<SystemSettings>): Promise<Shop> {
  const system = await startTestSystem({
    definition: {
      name: "shop",
      title: "Shop",
      version: "0.0.0",
      contracts: [catalog, orders],
      services: () => [catalogService(), ordersService()],
    },
    ...(settings === undefined ? {} : { settings }),
  });
  const newId = (prefix: string) => encodeId(prefix, uuidv7(systemClock, systemRandom));
  const admin = await system.authorization({ userId: newId("usr"), roles: ["admin"] });
  return {
    ...system,
    admin,
    async customer() {
      const userId = newId("usr");
      return { userId, authorization: await system.authorization({ userId }) };
    },
    async product({ stock = 10, price = 9.99, currency = "EUR" } = {}) {
      const sku = newId("sku").slice(4);
      const { json } = await system.request("POST", "/v1/products", {
        authorization: admin,
        body: { sku, name: "A thing", price, currency, stock },
      });
      return json;
    },
    stockOf: async (productId) => (await system.request("GET", `/v1/products/${productId}`)).json.stock,
    checkout: (authorization, body, headers = {}) =>
      system.request("POST", "/v1/orders", { authorization, body, headers }),
  };
}
