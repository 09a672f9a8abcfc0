// Something to look at and two people to be, for who has just started the store.

import type { Demo } from "ashlar/runtime";
import { seedProducts } from "./services/catalog/demo.ts";
import { seedUsers, usersWithPassword } from "./services/identity/demo.ts";

const admin = "admin@example.com";
const member = "member@example.com";

export function createDemo(password: string): Demo {
  return {
    async fill(contextOf, { passwords }) {
      const [identity, catalog] = [contextOf("identity"), contextOf("catalog")];
      if (catalog !== undefined) await seedProducts(catalog);
      if (identity === undefined) return [];
      const users = await seedUsers(identity, { passwords, password });
      return [admin, member].filter((email) => users.has(email)).map((email) => `${email}, password ${password}`);
    },
    async remains(contextOf, { passwords }) {
      const identity = contextOf("identity");
      return identity === undefined ? [] : usersWithPassword(identity, { passwords, password });
    },
    commands: (url) => [
      {
        does: "the three cheapest products",
        command: `curl "${url}/v1/products?sort=price&limit=3&fields=name,price"`,
      },
      {
        does: "log in; the token is good for 15 minutes",
        command: `TOKEN=$(curl -s ${url}/auth/login -H "content-type: application/json" \\
  -d '${JSON.stringify({ email: member, password }).replaceAll("'", String.raw`'\''`)}' | grep -o '"accessToken":"[^"]*' | cut -d'"' -f4)`,
      },
      {
        does: "buy a teapot; however often you send this, it is bought once",
        command: `TEAPOT=$(curl -s "${url}/v1/products?sku=TEA-POT-900&fields=id" | grep -o 'prd_[0-9a-z]*')
curl -i ${url}/v1/orders -H "authorization: Bearer $TOKEN" -H "content-type: application/json" \\
  -H "idempotency-key: my-first-teapot" -d "{\\"items\\":[{\\"productId\\":\\"$TEAPOT\\",\\"quantity\\":1}]}"`,
      },
    ],
  };
}
