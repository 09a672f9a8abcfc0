import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { anyone, owner, self, servicesOnly } from "./access.ts";
import { event } from "./event.ts";
import { get, type Operation, post } from "./operation.ts";
import { listUnder } from "./standard-operations.ts";
import { resource } from "./resource.ts";
import { id, object, text } from "./schema.ts";
import { service, type ServiceSpec } from "./service.ts";
import { change } from "./version.ts";

const thing = resource("thing", {
  path: "/things",
  id: "thg",
  properties: { name: text({ max: 9 }) },
  readOnly: { userId: id("usr") },
  owner: "userId",
  access: { list: anyone },
});
const summary = "Things";
const lost = event("thing.lost", { aggregate: "thg", summary: "A thing was lost", data: object({}) });

function withOperation(operation: Operation, more: Partial<ServiceSpec<Record<string, Operation>>> = {}) {
  return () => service("things", { summary, resources: [thing], ...more, operations: { lose: operation } });
}

function withVersions(more: Partial<ServiceSpec<Record<string, Operation>>>) {
  return () => service("things", { summary, resources: [thing], ...more });
}

test("a service has a database of its own name and version 1, unless it says otherwise", () => {
  const plain = service("things", { summary, resources: [thing] });
  deepEqual([plain.database, plain.versions], ["things", [{ number: 1 }]]);
  const other = service("things", { summary, database: "stuff", versions: [{ number: 2 }, { number: 1 }] });
  deepEqual([other.database, other.versions.map(({ number }) => number)], ["stuff", [1, 2]]);
});

test("the parameters of an operation are those of its path", () => {
  const params = { id: id("thg") };
  equal(withOperation(post("/things/{id}/loss", { summary, params, access: anyone }))().name, "things");
  throws(
    withOperation(post("/things/{id}/loss", { summary, access: anyone })),
    /The path of things\.lose has \{id\}, which is not declared\. Add it to "params"/,
  );
  throws(
    withOperation(post("/losses", { summary, params, access: anyone })),
    /declares the parameter id, which its path \/losses does not have/,
  );
});

test("self names a parameter of the path, in the operations of a resource too", () => {
  const params = { id: id("usr") };
  equal(withOperation(post("/users/{id}/loss", { summary, params, access: self("id") }))().name, "things");
  throws(
    withOperation(post("/users/{id}/loss", { summary, params, access: self("userId") })),
    /things\.lose is for self\("userId"\), and its path .* has no \{userId\}/,
  );
  throws(withVersions({ lists: { mine: listUnder(thing, "/mine", self("userId")) } }), /things\.mine is for self/);
});

test("owner needs a resource that has one: without, it would let in everybody who is signed in", () => {
  equal(withOperation(get("/best", { summary, returns: thing, access: owner }))().name, "things");
  throws(
    withOperation(get("/best", { summary, returns: object({}), access: owner })),
    /things\.lose grants something to an owner, and returns no resource that has one/,
  );
});

test("an operation emits what its service declares", () => {
  const operation = post("/losses", { summary, access: anyone, emits: [lost] });
  equal(withOperation(operation, { events: [lost] })().name, "things");
  throws(withOperation(operation), /things\.lose emits thing\.lost, .* Add it to "events"/);
});

test("a limit by account counts a property of the body", () => {
  const body = object({ email: text({ max: 9 }) });
  const limited = (account: string) =>
    withOperation(post("/losses", { summary, body, access: anyone, limit: { class: "auth", account } }));
  equal(limited("email")().name, "things");
  throws(limited("mail"), /counts by "mail", which is not a property of its body/);
});

test("a time to answer in is a whole number of milliseconds from 1", () => {
  const within = (timeoutMs: number) => withOperation(post("/losses", { summary, access: anyone, timeoutMs }));
  equal(within(1)().name, "things");
  for (const timeoutMs of [0, -1, 1.5, Number.NaN, Infinity])
    throws(within(timeoutMs), /things\.lose has a timeoutMs of/);
});

test("a cost is a whole number from 1: what costs nothing would be unlimited", () => {
  const costing = (cost: number) =>
    withOperation(post("/losses", { summary, access: anyone, limit: { class: "default", cost } }));
  equal(costing(50)().name, "things");
  for (const cost of [0, -1, 1.5, Number.NaN, Infinity]) throws(costing(cost), /things\.lose has the cost/);
  const thing = resource("thing", {
    path: "/things",
    id: "thg",
    properties: { name: text({ max: 9 }) },
    access: { list: anyone },
    limit: { list: { class: "default", cost: 0 } },
  });
  throws(
    () => service("things", { database: "things", summary, resources: [thing] }),
    /things\.listThings has the cost 0/,
  );
});

test("versions are different whole numbers", () => {
  for (const versions of [[], [{ number: 0 }], [{ number: 1.5 }], [{ number: 1 }, { number: 1 }]])
    throws(withVersions({ versions }), /must be different whole numbers from 1/);
});

test("a change belongs to a resource, ends before the newest version, and removes what there is", () => {
  const versions = [{ number: 1 }, { number: 2 }, { number: 3 }];
  const same = (value: Record<string, unknown>) => value;
  const made = (until: number, removes: string[], adds = {}, of = thing) =>
    change(of, { until, removes, adds, toOlder: same, toNewer: same });
  const older = made(1, ["label"], { title: text({ max: 9 }) });
  equal(
    withVersions({ versions, changes: [older, made(2, ["name"], { label: text({ max: 9 }) })] })().changes.length,
    2,
  );
  throws(withVersions({ versions, changes: [older] }), /removes "label", which is not one of its properties/);
  throws(
    withVersions({ versions, changes: [made(3, ["name"])] }),
    /until version 3, and service things has no version after it\. Add \{ number: 4 \}/,
  );
  throws(
    withVersions({ versions, resources: [], changes: [made(1, ["name"])] }),
    /changes thing, which is not one of its resources/,
  );
});

test("what is cached is a GET for outsiders, lasts for a time, and depends on what the service knows of", () => {
  const cached = (more: object, path = "/losses") =>
    withOperation({
      ...get(path, { summary, access: anyone, cache: { ttlMs: 1, dependsOn: [thing, "lost"] } }),
      ...more,
    });
  equal(cached({})().name, "things");
  throws(cached({ method: "POST" }), /things\.lose cannot be cached: it is no GET/);
  throws(cached({ secret: true }), /cannot be cached: it answers a secret/);
  throws(cached({ access: servicesOnly }), /is for services/);
  for (const ttlMs of [0, -1, Number.NaN, Infinity])
    throws(cached({ cache: { ttlMs, dependsOn: [] } }), /"ttlMs" is more than 0/);
  throws(cached({ cache: { ttlMs: 1, negativeMs: -1, dependsOn: [] } }), /are milliseconds/);
  const foreign = resource("other", { path: "/others", id: "oth", properties: {}, access: { list: anyone } });
  throws(cached({ cache: { ttlMs: 1, dependsOn: [foreign] } }), /depends on other, which is not a resource of things/);
  throws(withVersions({ resources: [{ ...thing, spec: { ...thing.spec, cache: { ttlMs: 0 } } }] }), /listThings are/);
});

test("tags have the parameters of their path, and a GET invalidates nothing", () => {
  const params = { id: id("thg") };
  const reading = (tag: string) =>
    withOperation(get("/things/{id}/loss", { summary, params, access: anyone, cache: { ttlMs: 1, dependsOn: [tag] } }));
  equal(reading("lost {id}")().name, "things");
  throws(reading("lost {userId}"), /has \{userId\}, which its path \/things\/\{id\}\/loss does not have/);
  const losing = (tag: string) =>
    withOperation(post("/things/{id}/loss", { summary, params, access: anyone, invalidates: [tag] }));
  equal(losing("lost {id}")().name, "things");
  throws(losing("lost {name}"), /has \{name\}/);
  throws(
    withOperation(get("/losses", { summary, access: anyone, invalidates: ["lost"] })),
    /things\.lose is a GET and changes nothing/,
  );
});
