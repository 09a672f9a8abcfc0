// A running system that random requests are sent to. It counts them, and holds that none is answered with 5xx.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../../base/index.ts";
import { schemaOf, shapeOf } from "../../contract/index.ts";
import { startTestSystem } from "../../testing/index.ts";
import { invoice, invoices } from "../invoices/contract.ts";
import { invoicesService } from "../invoices/service.ts";

export async function startBooks() {
  const contract = invoices("2026-12-31T00:00:00Z");
  const system = await startTestSystem({
    definition: {
      name: "books",
      title: "Books",
      version: "0.0.0",
      contracts: [contract],
      services: () => [invoicesService(contract)],
    },
  });
  const userId = encodeId("usr", uuidv7(systemClock, systemRandom));
  const authorization = await system.authorization({ userId, roles: ["accountant"] });
  let requests = 0;
  const send = async (method: string, target: string, body?: unknown, headers: Record<string, string> = {}) => {
    requests++;
    const answer = await system.request(method, target, {
      authorization,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    assert.ok(answer.status < 500, `${method} ${target}: ${answer.text}`);
    return answer;
  };
  return {
    invoice,
    send,
    shape: (version: number) => shapeOf(invoice, version, contract.changes),
    schema: (version: number) => schemaOf(shapeOf(invoice, version, contract.changes).create),
    /** Register it last: the tests of a file run in their order. */
    atLeast: (count: number) =>
      void test(`none of ${count.toLocaleString("en")} requests at random made a 5xx`, () => {
        assert.ok(requests >= count, `only ${requests} were made`);
      }),
  };
}
