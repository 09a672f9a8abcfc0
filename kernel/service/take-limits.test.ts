// Whose bucket a request is taken from: as the contract and the setting of its class say.

import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import type { Policy } from "../limit/index.ts";
import { startTestSystem } from "../testing/index.ts";
import { invoices } from "./invoices/contract.ts";
import { invoicesService } from "./invoices/service.ts";

/** Two requests of each of two users at one address, with a limit of two; the statuses in their order. */
async function statusesOf(path: string, limits: Readonly<Record<string, Policy>>): Promise<number[]> {
  const contract = invoices("2026-12-31T00:00:00Z");
  const { authorization, request } = await startTestSystem({
    settings: { limits },
    definition: {
      name: "books",
      title: "Books",
      version: "0",
      contracts: [contract],
      services: () => [invoicesService(contract)],
    },
  });
  const users = [
    encodeId("usr", uuidv7(systemClock, systemRandom)),
    encodeId("usr", uuidv7(systemClock, systemRandom)),
  ];
  const statuses: number[] = [];
  for (const userId of [users[0]!, users[0]!, users[1]!, users[1]!, users[0]!]) {
    const answer = await request("GET", path, {
      authorization: await authorization({ userId, roles: ["accountant"] }),
    });
    statuses.push(answer.status);
  }
  return statuses;
}

const two = { maxRequests: 2, windowMs: 60_000 };
const shared = [200, 200, 429, 429, 429];
const each = [200, 200, 200, 200, 429];

test("the class default counts each user, and with `per address` all who come from one", async () => {
  deepEqual(await statusesOf("/v2/invoices", { default: two }), each);
  deepEqual(await statusesOf("/v2/invoices", { default: { ...two, per: "user" } }), each);
  deepEqual(await statusesOf("/v2/invoices", { default: { ...two, per: "address" } }), shared);
});

test("a class of the contract counts an address, and with `per user` each who signed in", async () => {
  deepEqual(await statusesOf("/v2/invoice-count", { counting: two }), shared);
  deepEqual(await statusesOf("/v2/invoice-count", { counting: { ...two, per: "address" } }), shared);
  deepEqual(await statusesOf("/v2/invoice-count", { counting: { ...two, per: "user" } }), each);
});
