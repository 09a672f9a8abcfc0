import { encodeId, systemClock, systemRandom, uuidv7 } from "ashlar/base";
import { conformance } from "ashlar/testing";
import { identity, user } from "./contract.ts";
import { password, startIdentity } from "./fixture.ts";
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
