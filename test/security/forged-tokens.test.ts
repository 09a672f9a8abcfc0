// The catalogued attacks on tokens, over HTTP, on an operation of every service that needs a caller.
// What a token says in detail and how it is read is tested beside kernel/auth/tokens.ts.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { contracts } from "../../store/services.ts";
import { openStore } from "./fixture.ts";
import { attackerKey, createForge } from "./forge.ts";

const store = await openStore();
const admin = await store.admin();
const good = createForge(admin.accessToken, await store.privateKey());
const { forge, signed, header, payload } = good;
const attacker = attackerKey();
const nowSeconds = Math.floor(store.clock.nowMs() / 1000);

let connections = 0;
const listener = createServer((_request, response) => response.end()).on("connection", () => (connections += 1));
await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
after(() => listener.close());
const url = `http://127.0.0.1:${(listener.address() as { port: number }).port}/jwks`;

/** One operation of each service that needs credentials, and what the good token gets. */
const operations: Record<string, [method: string, path: string, granted: number]> = {
  identity: ["GET", "/v1/users/me", 200],
  catalog: ["POST", "/v1/products", 400],
  orders: ["GET", "/v1/orders", 200],
};

const ask = (method: string, path: string, token: string) =>
  store.request(method, path, {
    authorization: `Bearer ${token}`,
    ...(method === "POST" ? { body: { nonsense: 1 } } : {}),
  });

/** 401 with the challenge on every service, in the same words whatever is wrong. */
async function refusedEverywhere(token: string): Promise<void> {
  const answers = await Promise.all(Object.values(operations).map(([method, path]) => ask(method, path, token)));
  for (const { status, headers, json } of answers) {
    const what = token.slice(0, 200);
    assert.equal(status, 401, what);
    assert.equal(headers.get("www-authenticate"), 'Bearer realm="ashlar", error="invalid_token"', what);
    const error = { code: "UNAUTHENTICATED", message: "The token is not valid", details: [] };
    assert.deepEqual(json, { error }, what);
  }
}

test("without a mutation the forged token is accepted, by every service of the store", async () => {
  assert.deepEqual(Object.keys(operations).toSorted(), contracts.map(({ name }) => name).toSorted());
  for (const [method, path, granted] of Object.values(operations))
    assert.equal((await ask(method, path, forge({}))).status, granted);
});

const atOnce = 20;
const withoutSignature = (token: string) => token.replace(/[^.]*$/, "");
const attacks: Record<string, () => string[]> = {
  "J01 alg none in any spelling, with a signature and without": () =>
    ["none", "None", "nOnE", "NONE", ""].flatMap((alg) => [forge({ alg }), withoutSignature(forge({ alg }))]),
  "J02 a MAC keyed with the public key in any of its forms": () => good.maced({ alg: "HS256" }),
  "J03 any other algorithm": () =>
    ["RS512", "PS256", "ES256", "HS256", "Ed25519", ["EdDSA"], null].map((alg) => forge({ alg })),
  "J04 a key, an address or a certificate in the header": () =>
    [{ jwk: attacker.export({ format: "jwk" }) }, { jku: url }, { x5u: url }, { x5c: ["MIIB"] }].flatMap((more) => [
      forge(more, {}, attacker),
      forge(more),
    ]),
  "J05 a kid that is none of ours": () =>
    ["../../../../dev/null", "' OR 1=1--", "x".repeat(2_500), {}, [], null, "", "__proto__"].map((kid) =>
      forge({ kid }),
    ),
  "J06 crit, b64, zip, and a token that is encrypted": () => [
    ...[{ crit: ["x"], x: 1 }, { b64: false, crit: ["b64"] }, { zip: "DEF" }].map((more) => forge(more)),
    ["eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0", "", "AAAAAAAAAAAAAAAA", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA"].join("."),
  ],
  "J07 a bit flipped anywhere, two hundred times": () => Array.from({ length: 200 }, () => good.flipped()),
  "J08 times that are past, ahead, missing or no times": () => [
    ...[nowSeconds - 1, nowSeconds - 61, undefined, String(nowSeconds + 60), nowSeconds + 0.5, 1e99, -1].map((exp) =>
      forge({}, { exp }),
    ),
    forge({}, { nbf: nowSeconds + 61 }),
  ],
  "J09 another issuer or audience, or several": () => [
    ...["someone-else", undefined, [payload.iss]].map((iss) => forge({}, { iss })),
    ...["someone-else", undefined, [payload.aud, "x"], `${String(payload.aud)}-2`, ""].map((aud) => forge({}, { aud })),
  ],
  "J10 a refresh token in place of an access token": () => [admin.refreshToken],
  "J11 another type of token": () =>
    ["JWT", "jwt", "rt+jwt", "application/at+jwt", undefined].map((typ) => forge({ typ })),
  "J12 another user, signed by the key of another environment": () => [
    forge({}, { sub: "usr_01h455vb4pex5vsknk084sn02q" }, attacker),
    forge({ kid: "another-environment" }, {}, attacker),
  ],
  "J13 a claim that comes twice, though signed by us": () => [
    signed(JSON.stringify(header), JSON.stringify(payload).replace("{", '{"sub":"usr_01h455vb4pex5vsknk084sn02q",')),
    signed(JSON.stringify(header), JSON.stringify(payload).replace("{", `{"roles":["admin"],`)),
  ],
};

for (const [attack, tokens] of Object.entries(attacks)) {
  test(`${attack}: 401 from every service`, async () => {
    const all = tokens();
    while (all.length > 0) await Promise.all(all.splice(0, atOnce).map(refusedEverywhere));
  });
}

test("J04 nothing was fetched from the addresses in the headers", () => {
  assert.equal(connections, 0);
});

test("J05 a kid of a megabyte is refused before it is a token", async () => {
  assert.equal((await ask("GET", "/v1/users/me", forge({ kid: "x".repeat(2 ** 20) }))).status, 431);
});

test("J10 an access token does not refresh, and does not log out", async () => {
  const person = await store.person();
  const send = (path: string) => store.request("POST", path, { body: { refreshToken: person.accessToken } });
  const refreshed = await send("/auth/refresh");
  assert.deepEqual(
    [refreshed.status, refreshed.headers.get("www-authenticate")],
    [401, 'Bearer realm="ashlar", error="invalid_token"'],
  );
  assert.equal((await send("/auth/logout")).status, 204);
  assert.equal((await ask("GET", "/v1/users/me", person.accessToken)).status, 200);
});
