import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyone } from "./access.ts";
import { resource } from "./resource.ts";
import { integer, schemaOf, text, type TSchema } from "./schema.ts";
import { change, shapeOf } from "./version.ts";

const short = () => text({ max: 50 });
const person = resource("person", {
  path: "/people",
  id: "per",
  properties: { givenName: short(), familyName: short(), born: integer() },
  sortable: ["givenName"],
  access: { list: anyone },
});

// Version 1 had one name; version 2 had two under other words; version 3 is the newest.
const renamed = change(person, {
  until: 2,
  removes: ["givenName", "familyName"],
  adds: { firstName: short(), lastName: short() },
  toOlder: ({ givenName, familyName, ...rest }) => ({ ...rest, firstName: givenName, lastName: familyName }),
  toNewer: ({ firstName, lastName, ...rest }) => ({ ...rest, givenName: firstName, familyName: lastName }),
  renames: { firstName: "givenName", lastName: "familyName" },
});
const joined = change(person, {
  until: 1,
  removes: ["lastName", "firstName"],
  adds: { name: short() },
  toOlder: ({ firstName, lastName, ...rest }) => ({ ...rest, name: `${String(firstName)} ${String(lastName)}` }),
  toNewer: ({ name, ...rest }) => {
    const [firstName, lastName] = String(name).split(" ");
    return { ...rest, firstName, lastName };
  },
  renames: { name: "firstName" },
});
const changes = [joined, renamed];
const propertiesOf = (schema: TSchema) => Object.keys(schemaOf(schema).properties!);

test("the newest version shows the resource as it is declared", () => {
  const shape = shapeOf(person, 3, changes);
  equal(shape.newest, true);
  deepEqual(propertiesOf(shape.representation), propertiesOf(person.representation));
});

test("an older version has the older properties where the newer ones stood", () => {
  deepEqual(propertiesOf(shapeOf(person, 2, changes).representation), [
    "id",
    "firstName",
    "lastName",
    "born",
    "version",
    "createdAt",
    "updatedAt",
  ]);
  deepEqual(propertiesOf(shapeOf(person, 1, changes).representation), [
    "id",
    "name",
    "born",
    "version",
    "createdAt",
    "updatedAt",
  ]);
  deepEqual(propertiesOf(shapeOf(person, 1, changes).create), ["name", "born"]);
  deepEqual(propertiesOf(shapeOf(person, 1, changes).replace), ["name", "born", "version"]);
});

test("changes compose downwards and upwards", () => {
  const shape = shapeOf(person, 1, changes);
  const newest = { givenName: "Ada", familyName: "Lovelace", born: 1815 };
  deepEqual(shape.down(newest), { name: "Ada Lovelace", born: 1815 });
  deepEqual(shape.up({ name: "Ada Lovelace", born: 1815 }), newest);
});

test("a name of the first version is followed through every change to the newest", () => {
  equal(shapeOf(person, 1, changes).newestName("name"), "givenName");
  equal(shapeOf(person, 2, changes).newestName("lastName"), "familyName");
  equal(shapeOf(person, 1, changes).newestName("born"), "born");
});

test("the order in which changes are declared does not matter", () => {
  deepEqual(shapeOf(person, 1, [renamed, joined]).representation, shapeOf(person, 1, changes).representation);
});

test("what went up and comes down again is the same", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "é"), minLength: 1, maxLength: 9 });
  const shape = shapeOf(person, 1, changes);
  fc.assert(
    fc.property(word, word, fc.integer(), (first, last, born) => {
      const sent = { name: `${first} ${last}`, born };
      deepEqual(shape.down(shape.up(sent)), sent);
    }),
  );
});

test("a change of a property that a body does not have leaves the body alone", () => {
  const guarded = resource("person", {
    path: "/people",
    id: "per",
    properties: { born: integer(), grade: short() },
    writableBy: { grade: [{ role: "admin" }] },
    access: { create: anyone },
  });
  const graded = change(guarded, {
    until: 1,
    removes: ["grade"],
    adds: { level: short() },
    toOlder: (row) => row,
    toNewer: (row) => row,
  });
  deepEqual(propertiesOf(shapeOf(guarded, 1, [graded]).create), ["born"]);
  deepEqual(propertiesOf(shapeOf(guarded, 1, [graded]).replace), ["born", "level", "version"]);
});

test("older properties take the first place that is left when a body lacks some of the newer ones", () => {
  const guarded = resource("person", {
    path: "/people",
    id: "per",
    properties: { first: short(), last: short() },
    writableBy: { first: [{ role: "admin" }] },
    access: { create: anyone },
  });
  const split = change(guarded, {
    until: 1,
    removes: ["first", "last"],
    adds: { name: short() },
    toOlder: (row) => row,
    toNewer: (row) => row,
  });
  deepEqual(propertiesOf(shapeOf(guarded, 1, [split]).create), ["name"]);
});
