// What was deleted is erased when its time is over, and not before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { startTestSystem } from "../testing/index.ts";
import { invoices } from "./invoices/contract.ts";
import { invoicesService } from "./invoices/service.ts";

/** Minutes stand for days here: the clock is moved through every poll of every relay. */
const minuteMs = 60_000;

async function startWith(purgeDeletedAfterMs: number | undefined) {
  const contract = invoices("2028-01-01T00:00:00Z");
  const services = () => [invoicesService(contract)];
  const system = await startTestSystem({
    definition: { name: "books", title: "Books", version: "0.0.0", contracts: [contract], services },
    settings: { purgeDeletedAfterMs },
  });
  const userId = encodeId("usr", uuidv7(systemClock, systemRandom));
  // Signed anew for each request, since a token lasts fifteen minutes.
  const send = async (method: string, path: string, body?: unknown) =>
    system.request(method, `/v2/invoices${path}`, {
      authorization: await system.authorization({ userId, roles: ["accountant"] }),
      ...(body === undefined ? {} : { body }),
    });
  const post = async (number: number): Promise<string> => {
    const lines = [{ description: "Advice", quantity: 1, unitPrice: 80 }];
    const { status, json, text } = await send("POST", "", {
      series: "P",
      number,
      customer: { name: "Ann" },
      lines,
      dueOn: "2026-03-01",
    });
    assert.equal(status, 201, text);
    return json.id;
  };
  const ids = async () =>
    (await send("GET", "?includeDeleted=true&sort=number")).json.data.map(({ id }: { id: string }) => id);
  return { clock: system.clock, send, post, ids };
}

test("a deleted row can be restored until its time is over, and is then erased; living rows stay", async () => {
  const { clock, send, post, ids } = await startWith(40 * minuteMs);
  const [living, early, late, restored] = [await post(1), await post(2), await post(3), await post(4)];
  // The job works in its own time: what it will do is waited for, and what it has not done is seen then.
  const untilErased = async (id: string) => {
    for (let round = 0; (await ids()).includes(id); round++) {
      assert.ok(round < 100, "It is not erased");
      await clock.advance(minuteMs);
    }
  };
  for (const id of [early, restored]) assert.equal((await send("DELETE", `/${id}`)).status, 204);
  await clock.advance(39 * minuteMs);
  assert.equal((await send("DELETE", `/${late}`)).status, 204);
  assert.equal((await send("PATCH", `/${restored}`, { deletedAt: null })).status, 200);
  assert.deepEqual(await ids(), [living, early, late, restored]);

  await untilErased(early);
  assert.deepEqual(await ids(), [living, late, restored]);
  assert.equal((await send("GET", `/${early}?includeDeleted=true`)).status, 404);
  assert.equal((await send("PATCH", `/${early}`, { deletedAt: null })).status, 404);
  await untilErased(late);
  assert.deepEqual(await ids(), [living, restored]);
});

test("where it is kept for ever nothing is erased", async () => {
  const { clock, send, post, ids } = await startWith(undefined);
  const id = await post(1);
  await send("DELETE", `/${id}`);
  await clock.advance(60 * minuteMs);
  assert.deepEqual(await ids(), [id]);
});
