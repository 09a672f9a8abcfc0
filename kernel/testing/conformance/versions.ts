// Versions of the API: how one is asked for, and what an answer says of it.

import { strict as assert } from "node:assert";
import { schemaOf, shapeOf } from "../../contract/index.ts";
import { type Bench, refused } from "./bench.ts";
import { addresses } from "./methods.ts";

export function checkVersions(bench: Bench): void {
  const { check, ask, bare, subject, has } = bench;
  const { contract, resource } = subject;
  const living = () =>
    contract.versions.filter(
      ({ sunsetAt }) => sunsetAt === undefined || Date.parse(sunsetAt) > bench.system.clock.nowMs(),
    );
  const vendor = (version: number | string) => ({ accept: `application/vnd.api+json;version=${version}` });
  const json = (version: number | string) => ({ accept: `application/json; version=${version}` });

  for (const [what, path] of addresses(bench)) {
    check(`the version of ${what} is chosen by path, Accept or query, and the answer names it`, async () => {
      const address = (await path()).replace(/^\/v\d+/, "");
      for (const { number } of living()) {
        const shape = shapeOf(resource, number, contract.changes);
        const names = Object.keys(schemaOf(shape.representation).properties!);
        const ways = [
          ask("GET", `/v${number}${address}`),
          ask("GET", `/api/v${number}${address}`),
          ask("GET", address, { headers: vendor(number) }),
          ask("GET", address, { headers: json(number) }),
          ask("GET", `${address}?version=${number}`),
          ask("GET", `/api${address}?version=${number}`),
          // Three that agree.
          ask("GET", `/v${number}${address}?version=${number}`, { headers: json(number) }),
          ...(number === 1 ? [ask("GET", address), ask("GET", `/api${address}`)] : []),
        ];
        for (const answer of await Promise.all(ways)) {
          assert.equal(answer.status, 200, answer.text);
          const [row] = [answer.json.data ?? answer.json].flat();
          assert.deepEqual(Object.keys(row), names);
          assert.equal(answer.headers.get("api-version"), String(number));
          assert.match(answer.headers.get("vary")!, /\bAccept\b(?!-)/);
          assert.match(answer.headers.get("content-type")!, /^application\/json(;|$)/);
        }
      }
    });

    check(`two versions of ${what} in one request that disagree are 400`, async () => {
      const address = (await path()).replace(/^\/v\d+/, "");
      const [one, other] = living().map(({ number }) => number);
      if (other === undefined) return;
      for (const [target, headers] of [
        [`/v${one}${address}?version=${other}`, {}],
        [`/v${one}${address}`, json(other)],
        [`${address}?version=${one}`, vendor(other)],
      ] as const) {
        assert.deepEqual(refused(await ask("GET", target, { headers }), 400, "INVALID_VERSION"), ["version"]);
      }
    });

    check(`an unknown version of ${what} is 404 in the path, 406 in Accept, 400 in the query`, async () => {
      const address = (await path()).replace(/^\/v\d+/, "");
      for (const version of ["0", "99", "01", "1.0", "x", "-1"]) {
        refused(await ask("GET", `/v${version}${address}`), 404);
        refused(await ask("GET", address, { headers: vendor(version) }), 406);
        refused(await ask("GET", address, { headers: json(version) }), 406);
        assert.deepEqual(refused(await ask("GET", `${address}?version=${version}`), 400, "INVALID_VERSION"), [
          "version",
        ]);
      }
      assert.deepEqual(refused(await ask("GET", `${address}?version=1&version=1`), 400), ["version"]);
    });

    check(
      `a deprecated version of ${what} says so, until when, and what comes after it; the newest says nothing`,
      async () => {
        const address = (await path()).replace(/^\/v\d+/, "");
        for (const { number, deprecatedAt, sunsetAt } of living()) {
          const { headers } = await ask("GET", `/v${number}${address}`);
          assert.equal(
            headers.get("deprecation"),
            deprecatedAt === undefined ? null : `@${Date.parse(deprecatedAt) / 1000}`,
          );
          assert.equal(
            headers.get("sunset"),
            deprecatedAt === undefined || sunsetAt === undefined ? null : new Date(sunsetAt).toUTCString(),
          );
          const successor = `</v${contract.versions.at(-1)!.number}${address}>; rel="successor-version"`;
          assert.equal(
            (headers.get("link") ?? "").includes(successor),
            deprecatedAt !== undefined,
            `${headers.get("link")}`,
          );
          if (what === "a list") assert.match(headers.get("link")!, /rel="first"/);
        }
      },
    );
  }

  if (has("create")) {
    check("Location keeps the version that was used, however it was asked for", async () => {
      for (const { number } of living()) {
        const body = () => bench.nextBody(number);
        const ways = [
          await ask("POST", `/v${number}${bare}`, { body: body() }),
          await ask("POST", `${bare}?version=${number}`, { body: body() }),
          await ask("POST", bare, { body: body(), headers: json(number) }),
          await ask("POST", `/api/v${number}${bare}`, { body: body() }),
        ];
        for (const { status, text, headers, json } of ways) {
          assert.equal(status, 201, text);
          assert.equal(headers.get("location"), `/v${number}${bare}/${json.id}`);
        }
      }
    });
  }

  if (has("update") && has("get") && contract.versions.length > 1) {
    check(
      "what one version writes the others show, and a PATCH in an older one loses nothing it does not know",
      async () => {
        const row = await bench.row();
        const newest = `/v${contract.versions.at(-1)!.number}${bare}/${row.id}`;
        const before = (await ask("GET", newest)).json;
        for (const { number } of living()) {
          const address = `/v${number}${bare}/${row.id}`;
          const { json: seen } = await ask("GET", address);
          const names = Object.keys(schemaOf(shapeOf(resource, number, contract.changes).replace).properties!);
          const same = Object.fromEntries(names.map((name) => [name, seen[name]]));
          const answer = await ask("PATCH", address, { body: same });
          assert.deepEqual([answer.status, answer.json], [200, seen], answer.text);
        }
        assert.deepEqual((await ask("GET", newest)).json, before);
      },
    );
  }
}
