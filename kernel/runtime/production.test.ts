import { doesNotThrow, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { natsSetting, postgresSetting, publicUrlSetting, readSettings, redisSetting, smtpSetting } from "./settings.ts";

const declared = {
  DATABASE: postgresSetting(""),
  MAIL: smtpSetting(""),
  SHARED: redisSetting(""),
  BUS: natsSetting(""),
  PUBLIC: publicUrlSetting("http://localhost:3000", ""),
};

const production = (environment: Record<string, string>) => () =>
  readSettings(declared, { ...environment, NODE_ENV: "production" });

function refused(environment: Record<string, string>, why: RegExp): void {
  throws(production(environment), why, JSON.stringify(environment));
  doesNotThrow(() => readSettings(declared, environment), "outside production it is fine");
}

const database = (password: string, user = "orders") =>
  `postgres://${user}:${encodeURIComponent(password)}@db.internal:5432/orders`;

test("S10 in production the password in a URL is 12 characters or more, and none that is tried first", () => {
  for (const password of ["", "hunter2", "Xk3-qq9-vB7"])
    refused({ DATABASE: database(password) }, /DATABASE must hold/);
  for (const password of [
    "aaaaaaaaaaaaaaa",
    "password1234",
    "Postgres-2026!",
    "changeme-changeme",
    "orders-orders-1",
    "ashlar-demo-2026",
    "qwertyuiop123",
  ])
    refused({ DATABASE: database(password) }, /tried first/);
  refused({ DATABASE: database("billing-billing", "billing") }, /tried first/);
  refused({ DATABASE: "postgres://orders@db/orders?password=hunter2" }, /12 characters/);
  for (const password of ["Xk3-qq9-vB71", "a/b?c#d@e f%", "ü".repeat(6) + "öäabcd", "r4nd0m".repeat(60)])
    doesNotThrow(production({ DATABASE: database(password) }), password);
});

test("S10 a socket of this machine and a client certificate need no password, a password in the clear %-sign is one", () => {
  for (const url of [
    "postgres:///orders?host=/var/run/postgresql",
    "postgres://%2Fvar%2Frun%2Fpostgresql/orders",
    "postgres://orders@db/orders?sslcert=/etc/c.pem&sslkey=/etc/k.pem",
  ])
    doesNotThrow(production({ DATABASE: url }), url);
  refused({ DATABASE: "postgres://orders@127.0.0.1/orders" }, /must hold a password in production/);
  doesNotThrow(production({ DATABASE: "postgres://orders:100%-Xk3-qq9@db/orders" }));
});

test("S10 who signs in at a mail server does it with a good password; a relay that asks nobody is fine", () => {
  refused({ MAIL: "smtp://me@mail.example" }, /MAIL must hold a password/);
  refused({ MAIL: "smtp://me:secret@mail.example" }, /12 characters/);
  doesNotThrow(production({ MAIL: "smtp://relay.internal:25" }));
  doesNotThrow(production({ MAIL: "smtp://me:Xk3-qq9-vB71@mail.example" }));
});

test("S10 a shared store on another machine has a good password; one on this machine may have none, and no bad one", () => {
  refused({ SHARED: "redis://cache.internal:6379" }, /SHARED must hold a password in production/);
  refused({ SHARED: "rediss://:hunter2@cache.internal" }, /12 characters/);
  refused({ SHARED: "redis://:hunter2@localhost" }, /12 characters/);
  for (const url of [
    "redis://127.0.0.1:6379",
    "redis://localhost/1",
    "redis://[::1]",
    "rediss://:Xk3-qq9-vB71@cache.internal",
  ])
    doesNotThrow(production({ SHARED: url }), url);
});

test("S10 a NATS on another machine, each of several, has a good password or token; one on this machine may have none", () => {
  refused({ BUS: "nats://nats.internal" }, /BUS must hold a password in production/);
  refused({ BUS: "nats://localhost,nats://nats.internal" }, /BUS must hold a password in production/);
  refused({ BUS: "tls://ashlar:hunter2@nats.internal" }, /12 characters/);
  refused({ BUS: "tls://t0ken@nats.internal" }, /12 characters/);
  for (const url of [
    "nats://127.0.0.1",
    "tls://Xk3-qq9-vB71-token@nats.internal",
    "nats://ashlar:Xk3-qq9-vB71@a.internal, nats://ashlar:Xk3-qq9-vB71@b.internal:4223",
  ])
    doesNotThrow(production({ BUS: url }), url);
});

test("S10 in production the public address is https, and the default, which nobody set, is not looked at", () => {
  refused({ PUBLIC: "http://localhost:3000" }, /PUBLIC must begin with https/);
  equal(production({ PUBLIC: "https://shop.example" })().PUBLIC, "https://shop.example");
  equal(production({})().PUBLIC, "http://localhost:3000");
});

test("S10 every mistake is reported together, and no value of one", () => {
  const environment = {
    DATABASE: database("hunter2"),
    MAIL: "smtp://me:hunter2@mail.example",
    PUBLIC: "http://localhost",
  };
  throws(production(environment), (error: Error) => {
    equal(error.message.split("\n").length, 4);
    return /has 3 mistakes/.test(error.message) && !error.message.includes("hunter2");
  });
});
