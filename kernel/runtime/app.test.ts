import { deepEqual, equal, match, throws } from "node:assert/strict";
import { test } from "node:test";
import { anyone, post, service } from "../contract/index.ts";
import { implement } from "../service/index.ts";
import { createApp } from "./app.ts";
import { choiceSetting, SettingsError, textSetting } from "./settings.ts";

const migrations = new URL("./migrations/", import.meta.url);
const notes = implement(service("notes", { summary: "Notes" }), { migrations });
const login = post("/login", { summary: "Log in", access: anyone, limit: { class: "auth" } });
const people = implement(service("people", { summary: "People", database: "humanResources", operations: { login } }), {
  migrations,
  handlers: { login: async () => {} },
});
const app = createApp({ name: "office", services: [notes, people] });

/** The message of the refusal. */
function refusal(environment: Record<string, string>): string {
  let message = "";
  throws(
    () => app.readSettings(environment),
    (error) => error instanceof SettingsError && (message = error.message) !== "",
  );
  return message;
}

test("an app is named and described by default, and knows its contracts", () => {
  const { name, title, version, contracts } = app.definition;
  deepEqual(
    [name, title, version, contracts.map(({ name }) => name)],
    ["office", "office", "0.0.0", ["notes", "people"]],
  );
});

test("each database and each rate class of the contracts has a variable, beside those that every app has", () => {
  deepEqual(Object.keys(app.variables).slice(0, 9), [
    "PORT",
    "HOST",
    "ASHLAR_DATA",
    "NOTES_DATABASE_URL",
    "HUMAN_RESOURCES_DATABASE_URL",
    "LIMIT_DEFAULT",
    "LIMIT_ANONYMOUS",
    "LIMIT_MACHINE",
    "LIMIT_AUTH",
  ]);
});

test("an empty environment is enough", () => {
  const { system, logLevel, demo } = app.readSettings({});
  deepEqual(
    [system.port, system.host, system.dataDirectory, system.issuer, system.checkAnswers, logLevel, demo],
    [3000, "127.0.0.1", ".ashlar", "ashlar-office", true, "info", undefined],
  );
  deepEqual(system.databaseUrls, { notes: undefined, humanResources: undefined });
  deepEqual(system.limits.auth, { maxRequests: 20, windowMs: 60_000 });
});

test("values are read, and a limit can be off", () => {
  const { system } = app.readSettings({
    PORT: "0",
    LIMIT_AUTH: "off",
    LIMIT_DEFAULT: "100/60s",
    HUMAN_RESOURCES_DATABASE_URL: "postgres://me:Xk3-qq9-vB71@host/people",
    TRUSTED_PROXIES: "10.0.0.0/8",
    NODE_ENV: "production",
  });
  deepEqual([system.port, system.limits.auth, system.checkAnswers], [0, "off", false]);
  deepEqual(system.limits.default, { maxRequests: 100, windowMs: 60_000 });
  deepEqual(
    [system.databaseUrls.humanResources, system.trustedProxies],
    ["postgres://me:Xk3-qq9-vB71@host/people", ["10.0.0.0/8"]],
  );
});

test("every mistake is reported, all together, by name and without its value", () => {
  const message = refusal({
    PORT: "99999",
    NOTES_DATABASE_URL: "mysql://me:hunter2@host/notes",
    LIMIT_AUTH: "often",
    LIMIT_AUHT: "1/1s",
    CORS_ORIGINS: "https://shop.example/",
    REDIS_URL: "redis://me:hunter2@",
  });
  match(message, /has 6 mistakes/);
  match(
    message,
    /LIMIT_AUHT is not a limit of this app; there are LIMIT_DEFAULT, LIMIT_ANONYMOUS, LIMIT_MACHINE, LIMIT_AUTH/,
  );
  match(message, /REDIS_URL must be a URL like redis:/);
  equal(message.includes("hunter2"), false);
});

test("the share of each process is a part, and no rate class may take its name", () => {
  const sharesOf = (LIMIT_SHARE?: string) => app.readSettings({ LIMIT_SHARE }).system.limitShares;
  deepEqual([sharesOf(), sharesOf("1/1"), sharesOf("1/16")], [2, 1, 16]);
  for (const text of ["0", "4", "1/0", "2/4", "1/1000", "0.5", "1/4 ", "50%"])
    match(refusal({ LIMIT_SHARE: text }), /LIMIT_SHARE must be a part like 1\/2/);
  const share = post("/share", { summary: "Share", access: anyone, limit: { class: "share" } });
  const sharing = implement(service("sharing", { summary: "Sharing", operations: { share } }), {
    migrations,
    handlers: { share: async () => {} },
  });
  throws(() => createApp({ name: "office", services: [sharing] }), /A rate class cannot be called "share"/);
});

test("an app has variables of its own, in the place of standard ones too, and a demo outside production", () => {
  const own = createApp({
    name: "office",
    services: [notes],
    variables: { GREETING: textSetting("Hello", "what to say"), LOG_LEVEL: choiceSetting(["silent"], "silent", "") },
    demo: ({ GREETING }) => ({ fill: async () => [GREETING], commands: () => [{ does: GREETING, command: "" }] }),
  });
  equal(own.variables.GREETING!.meaning, "what to say");
  const { logLevel, demo } = own.readSettings({ GREETING: "Servus" });
  deepEqual([logLevel, demo?.commands("")[0]!.does], ["silent", "Servus"]);
  equal(own.readSettings({ NODE_ENV: "production" }).demo, undefined);
});

test("services may be made of the platform, and are made without one to be looked at", () => {
  const made: unknown[] = [];
  const lent = createApp({
    name: "office",
    services: ({ tokens }) => {
      made.push(tokens);
      return [notes];
    },
  });
  deepEqual([lent.definition.contracts.length, made.length], [1, 1]);
  throws(
    () => createApp({ name: "office", services: ({ clock }) => (clock.nowMs() > 0 ? [notes] : []) }),
    /uses the platform while it is made/,
  );
});
