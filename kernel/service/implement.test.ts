// What an implementation owes its contract, said at start.

import { throws } from "node:assert/strict";
import { test } from "node:test";
import { anyone, resource, service, text } from "../contract/index.ts";
import { implement } from "./implement.ts";

const note = resource("note", {
  path: "/notes",
  id: "not",
  properties: { about: text({ max: 100 }) },
  access: { create: anyone, bulk: anyone },
});
const contract = service("notes", {
  database: "notes",
  summary: "Notes",
  versions: [{ number: 1 }],
  resources: [note],
});
const migrations = new URL("./migrations/", import.meta.url);
const handler = async () => ({});

test("a create with a handler of its own needs one for many, too, since the standard one would pass it by", () => {
  throws(
    () => implement(contract, { migrations, handlers: {}, standard: { createNote: handler } }),
    /handler of its own for createNote, which createNotes would pass by/,
  );
  implement(contract, { migrations, handlers: {}, standard: { createNote: handler, createNotes: handler } });
  implement(contract, { migrations, handlers: {} });
});
