import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { optionsOf, readNatsUrl } from "./nats-url.ts";

test("an address is one URL or several of one cluster, with who connects and whether it is encrypted", () => {
  const read = (text: string) => optionsOf(readNatsUrl(text)!);
  deepEqual(read("nats://localhost"), { servers: ["localhost:4222"] });
  deepEqual(read("nats://me:p%40ss@nats.example:4333/"), { servers: ["nats.example:4333"], user: "me", pass: "p@ss" });
  deepEqual(read("tls://t0ken@nats.example"), { servers: ["nats.example:4222"], tls: {}, token: "t0ken" });
  deepEqual(read("nats://[::1]:4222"), { servers: ["[::1]:4222"] });
  deepEqual(read("tls://me:pw@a, tls://me:pw@b:4223"), {
    servers: ["a:4222", "b:4223"],
    tls: {},
    user: "me",
    pass: "pw",
  });
});

test("what is none is refused, and so are servers that do not agree on who connects and how", () => {
  for (const text of [
    "",
    "localhost:4222",
    "http://localhost",
    "ws://localhost",
    "nats://",
    "nats://localhost/stream",
    "nats://localhost?tls=false",
    "nats://localhost#x",
    "nats://me:%zz@localhost",
    "nats://a,",
    "nats://a,tls://b",
    "nats://me:pw@a,nats://b",
    "nats://me:pw@a,nats://me:other@b",
    Array.from({ length: 33 }, () => "nats://a").join(","),
  ])
    equal(readNatsUrl(text), undefined, text);
});
