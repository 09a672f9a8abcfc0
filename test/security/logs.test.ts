// What is written down: no secret anywhere, and one line for each thing that happened, whatever clients send.

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { createLogger } from "ashlar/runtime";
import { openStore } from "./fixture.ts";
import { captureLog } from "./log.ts";
import { operations, setScene } from "./operations.ts";

const log = captureLog("debug");
const store = await openStore({ log: log.logger });
const { request } = store;

/** Every row of every table of a service, as text. */
async function everyRow(service: string): Promise<string> {
  const tables = await store.rows(
    service,
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
  );
  assert.ok(tables.length > 3);
  const rows = await Promise.all(
    tables.map(({ name }) => store.rows(service, `select row_to_json(t)::text as row from ${String(name)} t`)),
  );
  return JSON.stringify(rows);
}

test("S01 no password, token, key, cookie or card number that went through any operation is in a log, or readable in a database", async () => {
  const secrets: string[] = [];
  const canary = (name: string) => {
    const secret = `canary-${name}-${Math.floor(1e9 + secrets.length)}-Zq`;
    secrets.push(secret);
    return secret;
  };
  const register = canary("registered");
  const email = "canary@example.com";
  const card = "4111111111111111";
  const made = await request("POST", "/v1/users", {
    body: { email, password: register, name: "Canary" },
    headers: { "idempotency-key": "canary-registration" },
  });
  assert.equal(made.status, 201);
  const login = async (password: string) => (await request("POST", "/auth/login", { body: { email, password } })).json;
  await login(canary("wrong"));
  const first = await login(register);
  const second = (await request("POST", "/auth/refresh", { body: { refreshToken: first.refreshToken } })).json;
  await request("POST", "/auth/refresh", { body: { refreshToken: canary("refresh") } });
  const authorization = `Bearer ${second.accessToken}`;
  const changed = canary("changed");
  const change = (currentPassword: string) =>
    request("PUT", `/v1/users/${made.json.id}/password`, {
      authorization,
      body: { currentPassword, newPassword: changed },
    });
  assert.deepEqual([(await change(canary("current"))).status, (await change(register)).status], [403, 204]);
  const third = await login(changed);
  const apiKey = await request("POST", `/v1/users/${made.json.id}/api-keys`, {
    authorization: `Bearer ${third.accessToken}`,
    body: { name: "Machine", scopes: ["orders:read"] },
    headers: { "idempotency-key": "canary-key" },
  });
  assert.equal(apiKey.status, 201);
  await request("GET", "/v1/orders", { authorization: `Bearer ${apiKey.json.key}` });
  await request("POST", "/auth/password/forgot", { body: { email } });
  await store.clock.advance(5_000);
  await request("POST", "/auth/password/reset", { body: { token: canary("link"), newPassword: canary("reset") } });
  await request("POST", "/auth/email/verify", { body: { token: canary("verify") } });
  for (const { accessToken, refreshToken } of [first, second, third]) secrets.push(accessToken, refreshToken);
  secrets.push(apiKey.json.key);

  // Through every operation: in the body, a header, a parameter that is refused, and a token that is none.
  const scene = await setScene(store);
  for (const operation of operations) {
    const path = scene.pathOf(operation);
    const body =
      operation.method === "GET" ? {} : { body: { password: canary("body"), card, nonsense: canary("other") } };
    const headers = { cookie: `session=${canary("cookie")}`, "x-api-key": canary("header"), "if-match": "*" };
    for (const as of [scene.owner.authorization, `Bearer ${canary("bearer")}`, `Basic ${canary("basic")}`])
      await request(operation.method, path, { authorization: as, headers, ...body });
    await request(operation.method, `${path}?access_token=${canary("query")}&card=${card}`, { headers, ...body });
    await request(operation.method, path, {
      headers: { ...headers, "content-type": "application/json" },
      ...(body.body && { body: `{"password":"${canary("torn")}"` }),
    });
  }
  // Failures that carry what was sent into the database.
  await store.rows("identity", "alter table users rename to gone_users");
  const failed = await request("POST", "/v1/users", {
    body: { email: "x@example.com", password: canary("failed"), name: card },
  });
  await login(canary("failed-login"));
  await store.rows("identity", "alter table gone_users rename to users");
  assert.equal(failed.status, 500);

  assert.ok(secrets.length > 100);
  const text = log.text();
  assert.ok(log.lines().length > operations.length * 4);
  const databases = (await Promise.all(["identity", "catalog", "orders"].map(everyRow))).join("\n");
  for (const secret of [...secrets, card]) {
    assert.ok(!text.includes(secret), `${secret} is in the log`);
    assert.ok(!databases.includes(secret), `${secret} is in a database`);
    for (const other of [
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64"),
      Buffer.from(secret).toString("hex"),
    ])
      assert.ok(!text.includes(other), `${secret} is in the log in other letters`);
  }
});

test("S02 whatever a client sends, the log has one line for each event, and none that the client wrote", async () => {
  const forged = '{"level":"error","msg":"forged"}';
  const before = log.lines().length;
  const escape = "\u001b[2J\u001b]0;owned\u0007";
  for (const email of [
    `x@example.com\n${forged}`,
    `x\r\n${forged}\r\n`,
    `${escape}@example.com`,
    `\u2028${forged}\u2028`,
  ]) {
    await request("POST", "/auth/login", { body: { email, password: "x" } });
    await request("POST", "/v1/users", {
      body: { email, password: "correct horse battery", name: `${escape}\n${forged}` },
    });
  }
  for (const target of [
    `/v1/users/%0a${encodeURIComponent(forged)}`,
    `/v1/%1b%5b2J`,
    `/v1/products?q=%0a${encodeURIComponent(forged)}`,
  ])
    await request("GET", target);
  await request("GET", "/v1/products", {
    headers: { "user-agent": "a".repeat(8_000), "x-request-id": forged, traceparent: forged },
  });
  const long = await store.raw(`GET /v1/products HTTP/1.1\r\nHost: x\r\nUser-Agent: ${"a".repeat(2 ** 20)}\r\n\r\n`);
  assert.match(long, /^HTTP\/1\.1 431 /);

  // Each line is one JSON object, or this throws.
  const lines = log.lines().slice(before);
  assert.ok(lines.length >= 12);
  for (const line of lines) {
    assert.notEqual(line.msg, "forged");
    assert.notEqual(line.level, "fatal");
    assert.ok(JSON.stringify(line).length < 16_384, "a line is bounded");
  }
  // oxlint-disable-next-line no-control-regex -- what a terminal would obey
  assert.doesNotMatch(log.text(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/);
});

test("S02 the readable log of a terminal shows what clients sent and obeys none of it", () => {
  let text = "";
  const destination = new Writable({ write: (chunk, _encoding, done) => ((text += String(chunk)), done()) });
  const logger = createLogger({ level: "info", readable: true, destination });
  const hostile = "\u001b[2J\u001b]0;owned\u0007\r\nERROR: forged\u009b31m";
  logger.info({ method: "GET", path: hostile, status: 200, durationMs: 1 }, "Request");
  logger.warn({ field: hostile, nested: { field: hostile } }, "Something");
  logger.error({ err: new Error(hostile) }, "Something else");
  // oxlint-disable-next-line no-control-regex -- what a terminal would obey
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  assert.doesNotMatch(text, /^ERROR: forged/m);
});
