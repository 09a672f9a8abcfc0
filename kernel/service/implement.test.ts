import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { anyone, event, object, post, resource, service, text } from "../contract/index.ts";
import { implement, on } from "./implement.ts";

const migrations = new URL("./migrations/", import.meta.url);
const note = resource("note", {
  path: "/notes",
  id: "not",
  properties: { title: text({ max: 9 }) },
  access: { list: anyone, create: anyone },
});
const archived = event("note.archived", { aggregate: "not", summary: "A note was archived", data: object({}) });
const plain = service("notes", { summary: "Notes", resources: [note] });
const more = service("notes", {
  summary: "Notes",
  resources: [note],
  operations: { archive: post("/archive", { summary: "Archive all", access: anyone }) },
  subscribes: ["note.archived"],
});
const nothing = async () => {};

test("a contract without operations of its own needs migrations and nothing else", () => {
  deepEqual(implement(plain, { migrations }).handlers, {});
});

test("every operation has a handler, and every handler an operation", () => {
  const handlers = { archive: nothing };
  const subscribers = [on(archived, nothing)];
  equal(implement(more, { migrations, handlers, subscribers }).contract.name, "notes");
  throws(
    () => implement(more, { migrations, handlers: {} as typeof handlers, subscribers }),
    /notes\.archive has no handler\. Add it to services\/notes\/service\.ts/,
  );
  throws(
    () => implement(more, { migrations, handlers, subscribers, standard: { createNotes: nothing } }),
    /handles "createNotes", .* mend the name: there are listNotes, createNote, archive/,
  );
});

test("every subscription has a subscriber, and every subscriber a subscription", () => {
  const handlers = { archive: nothing };
  throws(
    () => implement(more, { migrations, handlers, subscribers: [on(note.events.created!, nothing)] }),
    /subscribes to note\.archived and has no subscriber for it\. Add on\(\.\.\.\) .* those there handle note\.created/,
  );
  throws(
    () => implement(plain, { migrations, subscribers: [on(archived, nothing)] }),
    /handles note\.archived, which its contract does not subscribe to\. Add it to "subscribes"/,
  );
  throws(() => on(note.events.deleted!, nothing), /an event that its resource does not have/);
});

test("a create with a handler of its own needs one for many, too, since the standard one would pass it by", () => {
  const access = { create: anyone, bulk: anyone };
  const many = resource("note", { path: "/notes", id: "not", properties: { title: text({ max: 9 }) }, access });
  const contract = service("notes", { summary: "Notes", resources: [many] });
  throws(
    () => implement(contract, { migrations, standard: { createNote: nothing } }),
    /handler of its own for createNote, which createNotes would pass by/,
  );
  implement(contract, { migrations, standard: { createNote: nothing, createNotes: nothing } });
  implement(contract, { migrations });
});
