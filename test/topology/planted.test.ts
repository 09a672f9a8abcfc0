// Whether the comparison of one process with many would find a difference: ten are planted, one at a time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "ashlar/base";
import { answerer, asker } from "./mirror/contract.ts";
import { mirrorServices } from "./mirror/services.ts";
import { type Plant, plants } from "./planted.ts";
import { ask, headerNames, left, openSide, seen, type Side } from "./twin.ts";

const kinds = ["plain", "date", "undefined", "bigint"];
const failures = ["refused", "detailed", "broken"];
/** Each asks what one of the ways between services would change. */
const steps = [
  "POST /v1/exchanges",
  ...kinds.map((kind) => `GET /v1/values/${kind}`),
  ...failures.flatMap((failure) => [`GET /v1/failures/${failure}`, `POST /v1/failures/${failure}`]),
  "GET /v1/remaining",
  "GET /v1/who",
  "POST /v1/notes",
  "POST /v1/counts",
  "GET /v1/heard",
];

async function open(topology: "single" | "split", plant: Plant | undefined): Promise<Side> {
  const joins = plant?.joins === true;
  const side = await openSide(topology, {
    definition: {
      name: "mirror",
      title: "Mirror",
      version: "0.0.0",
      contracts: [answerer, asker],
      services: () => mirrorServices({ joins }),
    },
    // Half of the steps are mistakes of a handler.
    log: silentLogger,
    ...(plant?.side === topology && plant.faults !== undefined ? { faults: plant.faults } : {}),
  });
  side.actors.set("ann", await side.system.authorization());
  return side;
}

/** Everything that can be seen of a side, by where it is seen. */
async function look(side: Side): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (const step of steps) {
    const [method, path] = step.split(" ") as [string, string];
    found.set(step, seen(side, await ask(side, { actor: "ann", method, path })));
    await side.system.settled();
  }
  found.set("names of headers", await headerNames(side, "/v1/heard"));
  for (const [table, rows] of Object.entries(await left(side))) found.set(table, rows);
  return found;
}

async function differences(plant: Plant | undefined): Promise<string[]> {
  const [one, many] = [await look(await open("single", plant)), await look(await open("split", plant))];
  assert.deepEqual([...one.keys()], [...many.keys()]);
  const differs = (where: string) => {
    try {
      assert.deepStrictEqual(one.get(where), many.get(where));
      return false;
    } catch {
      return true;
    }
  };
  return [...one.keys()].filter(differs);
}

test("where nothing is planted, calls, values, failures, deadlines, callers, transactions and events are alike", async () => {
  assert.deepEqual(await differences(undefined), []);
});

for (const plant of plants) {
  test(`a difference is found, ${plant.name}`, async () => {
    assert.deepEqual(await differences(plant), plant.shows);
  });
}
