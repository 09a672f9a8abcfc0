import { deepEqual, equal, notDeepEqual, rejects } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock, silentLogger, systemClock } from "../base/index.ts";
import { createDatabase } from "../data/index.ts";
import { createTestDatabase } from "../testing/index.ts";
import {
  claimRuns,
  createIdempotentRun,
  findRecord,
  idempotentRequest,
  readIdempotencyKey,
  recordRuns,
  RunElsewhere,
  runWithRecord,
} from "./idempotency.ts";

test("B12 a key is 1 to 255 visible ASCII characters, bare or quoted, and both are the same key", () => {
  equal(readIdempotencyKey("abc-123"), "abc-123");
  equal(readIdempotencyKey('"abc-123"'), "abc-123");
  equal(readIdempotencyKey("!~{}"), "!~{}");
  equal(readIdempotencyKey("x".repeat(255))?.length, 255);
  equal(readIdempotencyKey(`"${"x".repeat(255)}"`)?.length, 255);
  for (const header of ["", '""', "two words", '"two words"', "x".repeat(256), "\u00e9", "a\tb", "a\u0000b", "\u2603"])
    equal(readIdempotencyKey(header), undefined, header);
});

test("a request is who, what, where and which key; its payload is the parsed JSON", () => {
  const make = (
    ...[
      caller = "usr_1",
      method = "POST",
      path = "/v1/orders",
      key = "k",
      body = { a: 1, b: [{ c: 2, d: 3 }] },
    ]: Partial<Parameters<typeof idempotentRequest>>
  ) => idempotentRequest(caller, method, path, key, body);
  deepEqual(make(), make());
  deepEqual(make().payload, make(undefined, undefined, undefined, undefined, { b: [{ d: 3, c: 2 }], a: 1 }).payload);
  for (const body of [{ a: 1 }, { a: 1, b: [{ c: 2, d: "3" }] }, null, []])
    notDeepEqual(make(undefined, undefined, undefined, undefined, body).payload, make().payload);
  const scopes = [
    make(),
    make("usr_2"),
    make(undefined, "PUT"),
    make(undefined, undefined, "/v2/orders"),
    make(undefined, undefined, undefined, "l"),
  ];
  equal(new Set(scopes.map(({ scope }) => scope.toString("hex"))).size, scopes.length);
});

test("a retry draws the same ids in the same order, another request others", () => {
  const drawn = (key: string) => {
    const run = createIdempotentRun(idempotentRequest("usr_1", "POST", "/v1/orders", key, {}), () => ({
      status: 201,
      headers: {},
    }));
    return [0, 1, 2].map((index) => Buffer.from(run.entropy(index)).toString("hex"));
  };
  deepEqual(drawn("a"), drawn("a"));
  equal(new Set([...drawn("a"), ...drawn("b")]).size, 6);
});

test("of two runs of one request only one does anything, whether the other is under way or answered", async () => {
  const directory = new URL("./migrations/", import.meta.url);
  const { url } = await createTestDatabase({ migrations: [{ name: "ashlar.service", directory }] });
  const database = createDatabase({ url, log: silentLogger, clock: systemClock });
  const request = idempotentRequest("usr_1", "POST", "/v1/orders", "k", {});
  const clock = createManualClock();
  const ran: string[] = [];
  // As in two processes: neither knows what the other has in hand.
  const attempt = (name: string, meanwhile?: () => Promise<void>) =>
    database.transaction((tx) =>
      runWithRecord(
        tx,
        createIdempotentRun(request, () => ({ status: 201, headers: {}, body: name })),
        async () => {
          ran.push(name);
          await meanwhile?.();
        },
        clock,
      ),
    );
  try {
    await attempt("first", () => rejects(attempt("second"), RunElsewhere));
    await rejects(attempt("third"), RunElsewhere);
    deepEqual(ran, ["first"]);
    await clock.advance(24 * 60 * 60_000 + 1);
    await attempt("a day later");
    deepEqual(ran, ["first", "a day later"]);
  } finally {
    await database.close();
  }
});

test("of several runs in one transaction those go on whose key nobody else has, has answered, or has here before them", async () => {
  const directory = new URL("./migrations/", import.meta.url);
  const { url } = await createTestDatabase({ migrations: [{ name: "ashlar.service", directory }] });
  const database = createDatabase({ url, log: silentLogger, clock: systemClock });
  const clock = createManualClock();
  const runOf = (key: string) =>
    createIdempotentRun(idempotentRequest("usr_1", "POST", "/v1/orders", key, {}), (result) => ({
      status: 201,
      headers: { etag: `"${String(result)}"` },
      body: String(result),
    }));
  const answered = idempotentRequest("usr_1", "POST", "/v1/orders", "answered", {});
  try {
    await database.transaction((tx) => runWithRecord(tx, runOf("answered"), async () => "before", clock));
    const [here, twin, elsewhere, late] = [runOf("here"), runOf("here"), runOf("elsewhere"), runOf("answered")];
    await database.transaction(async (other) => {
      await claimRuns(other, [runOf("elsewhere")], clock);
      await database.transaction(async (tx) => {
        deepEqual(await claimRuns(tx, [here, twin, elsewhere, late], clock), new Set([twin, elsewhere, late]));
        const results = [
          { run: here, result: "one" },
          { run: runOf("second"), result: "two" },
        ];
        await recordRuns(tx, results, clock);
      });
    });
    const find = (request: typeof answered) => findRecord(database, request, clock);
    const found = await Promise.all([
      find(here.request),
      find(runOf("second").request),
      find(elsewhere.request),
      find(answered),
    ]);
    deepEqual(
      found.map((answer) => answer && [answer.status, answer.headers, answer.body]),
      [
        [201, { etag: '"one"', "idempotent-replayed": "true" }, "one"],
        [201, { etag: '"two"', "idempotent-replayed": "true" }, "two"],
        undefined,
        [201, { etag: '"before"', "idempotent-replayed": "true" }, "before"],
      ],
    );
  } finally {
    await database.close();
  }
});
