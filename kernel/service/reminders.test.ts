// The conformance suite on rows that lie below their owner: no PUT, no events, deleted for good, and a
// version to be named with every write.

import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { conformance, startTestSystem } from "../testing/index.ts";
import { invoices, reminder } from "./invoices/contract.ts";
import { invoicesService } from "./invoices/service.ts";

const contract = invoices("2026-12-31T00:00:00Z");
const [able, stranger] = [1, 2].map(() => encodeId("usr", uuidv7(systemClock, systemRandom))) as [string, string];

await conformance({
  contract,
  resource: reminder,
  params: { userId: able },
  start: (settings) =>
    startTestSystem({
      definition: {
        name: "books",
        title: "Books",
        version: "0.0.0",
        contracts: [contract],
        services: () => [invoicesService(contract)],
      },
      ...(settings === undefined ? {} : { settings }),
    }),
  callers: async (system) => ({
    able: await system.authorization({ userId: able }),
    stranger: await system.authorization({ userId: stranger }),
  }),
  body: (n) => ({ about: `Invoice ${n}`, at: `2026-02-0${1 + (n % 9)}T08:30:00.000Z` }),
});
