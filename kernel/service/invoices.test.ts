// The conformance suite on a contract that has what the store has not.

import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { conformance, startTestSystem } from "../testing/index.ts";
import { invoice, invoices } from "./invoices/contract.ts";
import { invoicesService } from "./invoices/service.ts";

const contract = invoices("2026-12-31T00:00:00Z");
const service = invoicesService(contract);
const [able, other, stranger] = Array.from({ length: 3 }, () => encodeId("usr", uuidv7(systemClock, systemRandom))) as [
  string,
  string,
  string,
];
const days = ["2026-01-31", "2026-02-28", "2028-02-29"];
const states = ["sent", "draft", "paid"];

function body(n: number, version: number): Record<string, unknown> {
  const customer = {
    name: `Müller & Söhne ${n}`,
    vatId: n % 2 === 0 ? `ATU${n}` : null,
    address: n % 3 === 0 ? null : { street: "Am Hof 1", city: `Wien ${n}`, country: "AT" },
  };
  return {
    series: `S-${n % 4}`,
    number: n,
    ...(version === 1 ? { state: states[n % 3], customerName: customer.name } : { status: states[n % 3], customer }),
    lines: [
      { description: `Item ${n}`, quantity: 1 + (n % 7), unitPrice: n + 0.1 },
      { description: "Postage", quantity: 1, unitPrice: 0 },
    ],
    tags: n % 2 === 0 ? [`tag "${n % 3}"`, "x\\y", "{}"] : [`t${n % 5}`],
    dueOn: days[n % 3],
    sentAt: n % 2 === 0 ? null : `2026-01-0${1 + (n % 9)}T10:00:00.${String(n).padStart(5, "0")}1Z`,
    discount: n % 3 === 0 ? null : (n % 10) + 0.05,
    currency: n % 2 === 0 ? "CHF" : "USD",
    reverseCharge: n % 2 === 0,
    note: n % 4 === 0 ? null : `Note ${n} 100% _sure_`,
  };
}

await conformance({
  contract,
  resource: invoice,
  start: (settings) =>
    startTestSystem({
      definition: { name: "books", title: "Books", version: "0.0.0", contracts: [contract], services: () => [service] },
      ...(settings === undefined ? {} : { settings }),
    }),
  async callers(system) {
    return {
      able: await system.authorization({ userId: able, roles: ["member", "accountant"] }),
      other: await system.authorization({ userId: other, roles: ["member", "accountant"] }),
      stranger: await system.authorization({ userId: stranger }),
    };
  },
  body,
});
