import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { anyone, signedIn } from "./access.ts";
import { cachedResources, changedTags, everyTag, filledTag, listTag, rowTag } from "./cache.ts";
import { get } from "./operation.ts";
import { resource } from "./resource.ts";
import { standardOperations } from "./standard-operations.ts";
import { id, object, text } from "./schema.ts";

const properties = { name: text({ max: 9 }) };
const access = { list: anyone, get: anyone, create: signedIn, remove: signedIn };
const note = resource("note", { path: "/notes", id: "not", properties, cache: { ttlMs: 1_000 }, access });
const loan = resource("loan", {
  path: "/loans",
  id: "lon",
  properties,
  readOnly: { userId: id("usr") },
  owner: "userId",
  access,
});

test("a change touches what reads of the row, of lists and of the owner's lists depend on", () => {
  const tags = changedTags(note, [{ id: "not_1" }, { id: "not_2" }]);
  deepEqual(tags.toSorted(), [listTag(note), rowTag(note, "not_1"), rowTag(note, "not_2")].toSorted());
  const moved = changedTags(loan, [
    { id: "lon_1", userId: "usr_1" },
    { id: "lon_1", userId: "usr_2" },
  ]);
  deepEqual(
    moved.toSorted(),
    [listTag(loan), listTag(loan, "usr_1"), listTag(loan, "usr_2"), rowTag(loan, "lon_1")].toSorted(),
  );
  deepEqual(changedTags(loan, "all"), [everyTag(loan)]);
  throws(() => changedTags(loan, [{ id: "lon_1" }]), /A loan changed, and it is not said whose it is.*"userId"/);
});

test("a tag is filled from the path", () => {
  deepEqual(filledTag("popular {country} {day}", { country: "AT", day: "1" }), "popular AT 1");
});

test("reads of a resource are cached as it says, writes never; its changes matter if anybody keeps them", () => {
  const cached = Object.values(standardOperations(note)).map(({ action, cache }) => [action, cache?.ttlMs]);
  deepEqual(cached, [
    ["list", 1_000],
    ["get", 1_000],
    ["create", undefined],
    ["remove", undefined],
  ]);
  const counted = get("/count", {
    summary: "Counts",
    access: anyone,
    returns: object({}),
    cache: { ttlMs: 1, dependsOn: [loan, "other"] },
  });
  deepEqual([...cachedResources([note, loan], [])], ["note"]);
  deepEqual([...cachedResources([note, loan], [counted])], ["note", "loan"]);
});
