import { encodeId, systemClock, systemRandom, uuidv7 } from "ashlar/base";
import { conformance } from "ashlar/testing";
import { apiKey, identity, user } from "./contract.ts";
import { password, startIdentity, uuidOf } from "./fixture.ts";
const [able, other, stranger] = Array.from({ length: 3 }, () => encodeId("usr", uuidv7(systemClock, systemRandom))) as [
  string,
  string,
  string,
];
await conformance({
  contract: identity,
  resource: user,
  start: (settings) => startIdentity(settings === undefined ? {} : { settings }),
  callers: async (system) => ({
    able: await system.authorization({ userId: able, roles: ["admin"] }),
    other: await system.authorization({ userId: other, roles: ["admin"] }),
    stranger: await system.authorization({ userId: stranger }),
  }),
  body: (n) => ({ email: `Ann.${n}@example.com`, name: `Ann 100% _sure_ ${n}`, password }),
});

await conformance({
  contract: identity,
  resource: apiKey,
  params: { userId: able },
  start: (settings) => startIdentity(settings === undefined ? {} : { settings }),
  async callers(system) {
    const text = "insert into users (id, email, name, password_hash) values ($1, 'able@example.com', 'Able', '')";
    await system.rows("identity", text, [uuidOf(able)]);
    return {
      able: await system.authorization({ userId: able }),
      stranger: await system.authorization({ userId: stranger }),
    };
  },
  body: (n) => ({
    name: `Key 100% _sure_ ${n}`,
    scopes: ["orders:read", n % 2 === 0 ? "orders:write" : "catalog:read"],
  }),
});
