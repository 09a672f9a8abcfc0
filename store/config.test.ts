import { deepEqual, equal, match, throws } from "node:assert/strict";
import { test } from "node:test";
import { SettingsError } from "ashlar/runtime";
import store from "./main.ts";
import { contracts } from "./services.ts";

/** The message of the refusal. */
function refusal(environment: Record<string, string>): string {
  let message = "";
  throws(
    () => store.readSettings(environment),
    (error) => error instanceof SettingsError && (message = error.message) !== "",
  );
  return message;
}

test("an empty environment is enough, and what it means is what the help says", () => {
  const { system, logLevel } = store.readSettings({});
  deepEqual(
    [system.port, system.host, system.dataDirectory, system.issuer, logLevel, system.checkAnswers],
    [3000, "127.0.0.1", ".ashlar", "ashlar-store", "info", true],
  );
  deepEqual(system.databaseUrls, { users: undefined, catalog: undefined, orders: undefined });
  equal(store.variables.PORT!.fallback, "3000");
});

test("what was deleted is kept for a number of days, or for ever", () => {
  const kept = (days?: string) => store.readSettings({ PURGE_DELETED_AFTER: days }).system.purgeDeletedAfterMs;
  deepEqual([kept(), kept("1d"), kept("off")], [90 * 86_400_000, 86_400_000, undefined]);
  for (const days of ["0d", "90", "12h", "-1d", "never"])
    match(refusal({ PURGE_DELETED_AFTER: days }), /PURGE_DELETED_AFTER must be a number of days/);
});

test("certificates between processes are set all three, or none", () => {
  const files = { PEER_TLS_CERT: "/etc/c.pem", PEER_TLS_KEY: "/etc/k.pem", PEER_TLS_CA: "/etc/ca.pem" };
  const { system, processUrls } = store.readSettings({ ...files, ORDERS_URL: "https://orders.internal:3003" });
  deepEqual(system.peerTls, files);
  deepEqual(
    [processUrls!["catalog"], processUrls!["orders"]],
    ["https://127.0.0.1:3002", "https://orders.internal:3003"],
  );
  equal(store.readSettings({}).processUrls!["catalog"], undefined);
  for (const [name, file] of Object.entries(files)) {
    const lines = refusal({ [name]: file })
      .split("\n")
      .slice(1);
    const others = Object.keys(files).filter((other) => other !== name);
    deepEqual(
      lines,
      others.map((other) => `  ${other} is needed as well when ${name} is set`),
    );
  }
});

test("every mistake is reported, all together, by name and without its value", () => {
  const message = refusal({
    PORT: "99999",
    USERS_DATABASE_URL: "mysql://me:hunter2@host/users",
    LIMIT_AUTH: "often",
    LIMIT_LOGIN: "1/1s",
    TRUSTED_PROXIES: "10.0.0.0/8,my-proxy",
    CORS_ORIGINS: "https://shop.example/",
    LOG_LEVEL: "loud",
    NODE_ENV: "prod",
    DEMO_PASSWORD: "x".repeat(129),
    REDIS_URL: "http://me:hunter2@localhost",
    NATS_URL: "http://me:hunter2@localhost",
    PURGE_DELETED_AFTER: "0d",
  });
  const named = message
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(" ")[0]);
  deepEqual(named.toSorted(), [
    "CORS_ORIGINS",
    "DEMO_PASSWORD",
    "LIMIT_AUTH",
    "LIMIT_LOGIN",
    "LOG_LEVEL",
    "NATS_URL",
    "NODE_ENV",
    "PORT",
    "PURGE_DELETED_AFTER",
    "REDIS_URL",
    "TRUSTED_PROXIES",
    "USERS_DATABASE_URL",
  ]);
  match(message, /has 12 mistakes/);
  equal(message.includes("hunter2"), false);
});

test("what is not built yet is refused, not ignored", () => {
  match(refusal({ INTERNAL_PORT: "9090" }), /INTERNAL_PORT is not supported yet/);
});

test("a limit that is none of the store's is refused with those there are", () => {
  match(
    refusal({ LIMIT_AUHT: "5/60s" }),
    /LIMIT_AUHT is not a limit of this app; there are LIMIT_DEFAULT, LIMIT_ANONYMOUS, LIMIT_MACHINE, LIMIT_AUTH/,
  );
});

test("values are read, and a limit can be off", () => {
  const { system } = store.readSettings({
    PORT: "0",
    LIMIT_DEFAULT: "100/60s",
    LIMIT_ANONYMOUS: "off",
    CORS_ORIGINS: "https://a.example, https://b.example",
    TRUSTED_PROXIES: "10.0.0.0/8",
    ORDERS_DATABASE_URL: "postgres://me@host/orders",
  });
  deepEqual(system.limits.default, { maxRequests: 100, windowMs: 60_000 });
  equal(system.limits.anonymous, "off");
  deepEqual(system.corsOrigins, ["https://a.example", "https://b.example"]);
  equal(system.databaseUrls.orders, "postgres://me@host/orders");
});

test("where the shared store is may be said, with or without TLS; without it there is none", () => {
  equal(store.readSettings({}).system.redisUrl, undefined);
  for (const url of ["redis://localhost", "rediss://me:p%40ss@redis.example:6380/2"])
    equal(store.readSettings({ REDIS_URL: url }).system.redisUrl, url);
  for (const url of ["localhost:6379", "http://localhost", "redis://localhost?db=1"])
    match(refusal({ REDIS_URL: url }), /REDIS_URL must be a URL like redis:/);
});

test("how events reach other processes may be said; without it they stay in this one", () => {
  equal(store.readSettings({}).system.natsUrl, undefined);
  for (const url of ["nats://localhost", "tls://me:p%40ss@a.example,tls://me:p%40ss@b.example:4333"])
    equal(store.readSettings({ NATS_URL: url }).system.natsUrl, url);
  for (const url of ["localhost:4222", "http://localhost", "nats://localhost,tls://localhost"])
    match(refusal({ NATS_URL: url }), /NATS_URL must be a URL like nats:/);
});

test("who sends mail says from whom and where links lead; without a server neither is needed", () => {
  const { system } = store.readSettings({});
  deepEqual([system.smtp, system.publicUrl], [undefined, "http://localhost:3000"]);
  const url = "smtp://me:hunter2@mail.example:587";
  match(refusal({ SMTP_URL: url }), /MAIL_FROM is needed as well.*\n.*PUBLIC_URL is needed as well/);
  const set = store.readSettings({
    SMTP_URL: url,
    MAIL_FROM: "Shop <a@shop.example>",
    PUBLIC_URL: "https://shop.example/eu/",
  });
  deepEqual(set.system.smtp, { url, from: "Shop <a@shop.example>" });
  equal(set.system.publicUrl, "https://shop.example/eu");
  for (const MAIL_FROM of ["shop", "a@b, c@d", "Shop <a@b>\nBcc: c@d", "<a@b>"])
    match(refusal({ MAIL_FROM }), /MAIL_FROM must be an address/);
  for (const SMTP_URL of [
    "mail.example:25",
    "http://mail.example",
    "smtp://",
    "smtp://mail.example/x",
    "smtp://mail.example?tls=off",
  ])
    match(
      refusal({ SMTP_URL, MAIL_FROM: "a@b", PUBLIC_URL: "https://shop.example" }),
      /SMTP_URL must be a URL like smtp:/,
    );
});

test("links in mails are never sent to another machine unencrypted", () => {
  for (const PUBLIC_URL of [
    "http://shop.example",
    "https://u:p@shop.example",
    "https://shop.example/?a=1",
    "shop.example",
    "http://127.0.0.1.evil.example",
  ])
    match(refusal({ PUBLIC_URL }), /PUBLIC_URL must be an address like https/);
  for (const PUBLIC_URL of ["http://localhost:8080", "http://127.0.0.1:3000", "http://[::1]:3000"])
    equal(store.readSettings({ PUBLIC_URL }).system.publicUrl, PUBLIC_URL);
});

test("every database and every rate class of the contracts has a setting", () => {
  const { system } = store.readSettings({});
  const classes = contracts.flatMap(({ allOperations }) =>
    Object.values(allOperations).map(({ limit }) => limit.class),
  );
  deepEqual(new Set(contracts.map(({ database }) => database)), new Set(Object.keys(system.databaseUrls)));
  deepEqual(
    [...new Set([...classes, "anonymous"])].filter((name) => !(name in system.limits)),
    [],
  );
});

test("L18 there is no demo data in production", () => {
  equal(store.readSettings({ NODE_ENV: "production" }).demo, undefined);
  equal(store.readSettings({ NODE_ENV: "production" }).system.checkAnswers, false);
  equal(store.readSettings({}).demo === undefined, false);
});

test("S10 a start in production refuses what anybody could guess or read on the way, all together and without its value", () => {
  const weak = {
    NODE_ENV: "production",
    USERS_DATABASE_URL: "postgres://users@db.internal/users",
    CATALOG_DATABASE_URL: "postgres://catalog:hunter2@db.internal/catalog",
    ORDERS_DATABASE_URL: "postgres://orders:postgres-orders@db.internal/orders",
    SMTP_URL: "smtp://me:changeme-2024@mail.example:587",
    MAIL_FROM: "shop@shop.example",
    PUBLIC_URL: "http://localhost:3000",
    DEMO_PASSWORD: "ashlar-demo",
  };
  const message = refusal(weak);
  match(message, /has 6 mistakes/);
  for (const mistake of [
    "USERS_DATABASE_URL must hold a password in production",
    "CATALOG_DATABASE_URL must hold a password of 12 characters or more in production",
    "ORDERS_DATABASE_URL must hold a password in production that is not among those that are tried first",
    "SMTP_URL must hold a password in production that is not among those that are tried first",
    "PUBLIC_URL must begin with https: in production",
    "DEMO_PASSWORD is set, and there is no demo data in production: unset it",
  ])
    equal(message.split("\n").includes(`  ${mistake}`), true, mistake);
  equal(/hunter2|changeme|postgres-orders|ashlar-demo/.test(message), false);
  for (const NODE_ENV of ["development", "test"]) store.readSettings({ ...weak, NODE_ENV });

  const secret = "Xk3-qq9-vB71z";
  store.readSettings({
    NODE_ENV: "production",
    USERS_DATABASE_URL: `postgres://users:${secret}@db.internal/users`,
    SMTP_URL: `smtps://me:${secret}@mail.example`,
    MAIL_FROM: "shop@shop.example",
    PUBLIC_URL: "https://shop.example",
  });
});

test("the commands to try survive a password with quotes", () => {
  const commands = store.readSettings({ DEMO_PASSWORD: `it's "quoted"` }).demo!.commands("http://localhost:3000");
  match(commands[1]!.command, /"password":"it'\\''s \\"quoted\\""/);
});
