import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import {
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  randomInt,
  sign as signBytes,
  type KeyObject,
} from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { CompactEncrypt, exportSPKI, importJWK, jwtVerify } from "jose";
import { createMemoryCache } from "../cache/index.ts";
import { createManualClock, encodeId, systemRandom, uuidv7 } from "../base/index.ts";
import { Failure } from "../contract/index.ts";
import { openKeys } from "./keys.ts";
import { createTokens, type RememberedToken } from "./tokens.ts";

const issuer = "https://shop.example";
const audience = "ashlar";

async function setUp(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), "ashlar-tokens-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const clock = createManualClock(Date.UTC(2026, 0, 1) + 123);
  const keys = await openKeys({ directory, clock, random: systemRandom });
  const remembered = createMemoryCache<RememberedToken>({ clock, maxEntries: 100 });
  const tokens = createTokens({ keys, issuer, audience, clock, random: systemRandom, remembered });
  const id = (prefix: string) => encodeId(prefix, uuidv7(clock, systemRandom));
  const subject = { userId: id("usr"), email: "ann@example.com", roles: ["member"], sessionId: id("ses") };
  const { key: jwk } = JSON.parse(await readFile(join(directory, "keys", "0001.json"), "utf8"));
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  const token = await tokens.signAccess(subject);
  const [header, payload] = token
    .split(".")
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
  /** A token signed with our own key, whose header and claims are those of a good one but for the mutation. */
  const forge = (headerChanges: object, claimChanges: object = {}, key = privateKey) =>
    signed(JSON.stringify({ ...header, ...headerChanges }), JSON.stringify({ ...payload, ...claimChanges }), key);
  return { directory, clock, keys, remembered, tokens, id, subject, privateKey, token, header, payload, forge };
}

function signed(header: string, payload: string, key: KeyObject): string {
  const input = `${Buffer.from(header).toString("base64url")}.${Buffer.from(payload).toString("base64url")}`;
  return `${input}.${signBytes(null, Buffer.from(input), key).toString("base64url")}`;
}

/** The one answer to every bad token: it does not say why. */
async function refused(verification: Promise<unknown>, what = ""): Promise<void> {
  await rejects(
    verification,
    (error) => {
      ok(error instanceof Failure, `${what}: ${error}`);
      deepEqual(
        [error.status, error.code, error.message, error.details],
        [401, "UNAUTHENTICATED", "The token is not valid", []],
      );
      equal(error.headers["www-authenticate"], 'Bearer realm="ashlar", error="invalid_token"');
      return true;
    },
    what,
  );
}

test("a signed access token is read back by us and by any JWT library with the public key", async (t) => {
  const { tokens, token, subject, keys, clock, header, payload } = await setUp(t);
  const claims = await tokens.verifyAccess(token);
  const { tokenId, issuedAtMs, expiresAtMs, ...rest } = claims;
  deepEqual(rest, subject);
  match(tokenId, /^tok_/);
  equal(issuedAtMs, clock.nowMs(), "to the millisecond");
  equal(expiresAtMs, Math.floor(clock.nowMs() / 1000) * 1000 + 900_000);
  deepEqual(Object.keys(header).toSorted(), ["alg", "kid", "typ"]);
  deepEqual(Object.keys(payload).toSorted(), ["aud", "email", "exp", "iat", "iss", "jti", "roles", "sid", "sub"]);
  const [jwk] = (await keys.jwks()).keys;
  const options = { issuer, audience, typ: "at+jwt", currentDate: new Date(clock.nowMs()) };
  equal((await jwtVerify(token, await importJWK(jwk!), options)).payload.sub, subject.userId);
});

test("the forging of these tests is sound: without a mutation its token is accepted", async (t) => {
  const { tokens, forge, subject } = await setUp(t);
  equal((await tokens.verifyAccess(forge({}))).userId, subject.userId);
});

test("J01 alg=none in any spelling, with and without a signature, is refused", async (t) => {
  const { tokens, forge } = await setUp(t);
  for (const alg of ["none", "None", "nOnE", "NONE", ""]) {
    const token = forge({ alg });
    await refused(tokens.verifyAccess(token), alg);
    await refused(tokens.verifyAccess(token.replace(/[^.]*$/, "")), `${alg}, empty signature`);
    await refused(tokens.verifyAccess(token.replace(/\.[^.]*$/, "")), `${alg}, two parts`);
  }
});

test("J02 a MAC keyed with the public key in any of its forms is refused", async (t) => {
  const { tokens, keys, forge } = await setUp(t);
  const [jwk] = (await keys.jwks()).keys;
  const pem = await exportSPKI((await keys.verificationKey(jwk!.kid!))!);
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  for (const secret of [
    pem,
    ` ${pem}`,
    `\n${pem}`,
    pem.trim(),
    JSON.stringify(jwk),
    der,
    Buffer.from(jwk!.x!, "base64url"),
  ]) {
    const input = forge({ alg: "HS256" }).replace(/\.[^.]*$/, "");
    await refused(tokens.verifyAccess(`${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`));
  }
});

test("J03 other algorithms are refused, also with our own key and signature", async (t) => {
  const { tokens, forge } = await setUp(t);
  for (const alg of ["RS512", "PS256", "ES256", "HS256", "Ed25519", "ed25519", "eddsa", ["EdDSA"], null, 1]) {
    await refused(tokens.verifyAccess(forge({ alg })), String(alg));
  }
});

test("J04 a key, an address or a certificate in the header is refused, and nothing is fetched", async (t) => {
  const { tokens, forge } = await setUp(t);
  let connections = 0;
  const server = createServer((_request, response) => response.end()).on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const attacker = generateKeyPairSync("ed25519");
  const url = `http://127.0.0.1:${port}/jwks`;
  const jwk = attacker.publicKey.export({ format: "jwk" });
  for (const header of [
    { jwk },
    { jku: url },
    { x5u: url },
    { x5c: ["MIIB"] },
    { "x5t#S256": "x" },
    { jwk, kid: undefined },
  ]) {
    await refused(tokens.verifyAccess(forge(header, {}, attacker.privateKey)), JSON.stringify(header));
    await refused(tokens.verifyAccess(forge(header)), `${JSON.stringify(header)}, our signature`);
  }
  equal(connections, 0);
});

test("J05 a kid that is not ours is refused, whatever it says", async (t) => {
  const { tokens, forge } = await setUp(t);
  const kids = [
    "../../../../dev/null",
    "' OR 1=1--",
    "x".repeat(2 ** 20),
    {},
    [],
    null,
    1,
    "",
    "__proto__",
    "constructor",
    "0001",
    undefined,
  ];
  for (const kid of kids) await refused(tokens.verifyAccess(forge({ kid })), String(kid).slice(0, 30));
});

test("J06 crit, b64, zip and unknown header parameters, and a JWE, are refused", async (t) => {
  const { tokens, forge, payload, privateKey } = await setUp(t);
  for (const header of [
    { crit: ["x"], x: 1 },
    { crit: [] },
    { b64: false },
    { b64: false, crit: ["b64"] },
    { b64: true, crit: ["b64"] },
    { zip: "DEF" },
    { cty: "JWT" },
  ]) {
    await refused(tokens.verifyAccess(forge(header)), JSON.stringify(header));
  }
  const encrypter = new CompactEncrypt(Buffer.from(JSON.stringify(payload))).setProtectedHeader({
    alg: "dir",
    enc: "A256GCM",
    typ: "at+jwt",
  });
  await refused(tokens.verifyAccess(await encrypter.encrypt(new Uint8Array(32))), "JWE");
  for (const header of ["null", "[]", '"x"', "1", "", "{", '{"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt"}']) {
    await refused(tokens.verifyAccess(signed(header, JSON.stringify(payload), privateKey)), header);
  }
});

test("J07 every single flipped bit of the text, and any other text of the same token, is refused", async (t) => {
  const { tokens, token } = await setUp(t);
  await tokens.verifyAccess(token);
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(token, "latin1");
    // The last characters hold bits of base64url that no byte uses: half of the rounds go there.
    const index = round % 2 === 0 ? randomInt(bytes.length) : bytes.length - 1 - randomInt(3);
    bytes[index]! ^= 1 << randomInt(8);
    await refused(tokens.verifyAccess(bytes.toString("latin1")), `byte ${index}`);
  }
  for (const other of [
    `${token}=`,
    `${token}==`,
    ` ${token}`,
    `${token}\n`,
    `${token}.`,
    `${token}.x`,
    `.${token}`,
    token.replaceAll("_", "/"),
    "",
  ]) {
    if (other !== token) await refused(tokens.verifyAccess(other), "variant");
  }
});

test("J08 a token past its time, before its time, or whose times are no integers is refused", async (t) => {
  const { tokens, forge, clock, payload } = await setUp(t);
  const now = Math.floor(clock.nowMs() / 1000);
  for (const exp of [
    now - 1,
    now - 61,
    now,
    undefined,
    null,
    String(now + 900),
    now + 900.5,
    1e300,
    -1,
    true,
    [now + 900],
    {},
  ]) {
    await refused(tokens.verifyAccess(forge({}, { exp })), `exp ${exp}`);
  }
  const raw = JSON.stringify(payload).replace(/"exp":\d+/, '"exp":1e99');
  await refused(tokens.verifyAccess(signed(JSON.stringify({}), raw, generateKeyPairSync("ed25519").privateKey)));
  for (const nbf of [now + 61, now + 6, "0", 0.5, null, -1])
    await refused(tokens.verifyAccess(forge({}, { nbf })), `nbf ${nbf}`);
  for (const iat of [undefined, null, String(now), now + 6, now + 0.5, -1, now - 1])
    await refused(tokens.verifyAccess(forge({}, { iat })), `iat ${iat}`);
  ok(await tokens.verifyAccess(forge({}, { nbf: now + 5 })), "a clock may be 5 s ahead");
});

test("J08 a token that is remembered ends with its exp, to the second", async (t) => {
  const { tokens, token, clock } = await setUp(t);
  const { expiresAtMs } = await tokens.verifyAccess(token);
  await clock.advance(expiresAtMs - clock.nowMs() - 1);
  ok(await tokens.verifyAccess(token));
  await clock.advance(1);
  await refused(tokens.verifyAccess(token));
});

test("J09 another issuer or audience, a list of audiences, or none is refused", async (t) => {
  const { tokens, forge } = await setUp(t);
  for (const iss of ["https://evil.example", `${issuer}/`, `${issuer}.evil.example`, "", undefined, null, [issuer]])
    await refused(tokens.verifyAccess(forge({}, { iss })), `iss ${iss}`);
  for (const aud of [
    "other",
    "ash",
    `${audience}-admin`,
    `${audience}/auth/refresh`,
    "",
    undefined,
    null,
    [audience],
    [audience, "other"],
    {},
  ]) {
    await refused(tokens.verifyAccess(forge({}, { aud })), `aud ${JSON.stringify(aud)}`);
  }
});

test("J10 an access token is not a refresh token, nor the other way round", async (t) => {
  const { tokens, token, subject, id, forge } = await setUp(t);
  const refresh = await tokens.signRefresh({ userId: subject.userId, tokenId: id("tok") });
  await refused(tokens.verifyAccess(refresh));
  await refused(tokens.verifyRefresh(token));
  // One of the two marks alone does not make it pass either.
  await refused(tokens.verifyRefresh(forge({ typ: "rt+jwt" })));
  await refused(tokens.verifyRefresh(forge({}, { aud: `${audience}/auth/refresh` })));
  await refused(tokens.verifyAccess(forge({ typ: "rt+jwt" })));
});

test("J11 any type but at+jwt is refused", async (t) => {
  const { tokens, forge } = await setUp(t);
  for (const typ of [
    "JWT",
    "jwt",
    "AT+JWT",
    "application/at+jwt",
    "at+jwt ",
    "",
    null,
    undefined,
    ["at+jwt"],
    "reset+jwt",
    "verify+jwt",
  ]) {
    await refused(tokens.verifyAccess(forge({ typ })), String(typ));
  }
});

test("J12 another user, signed by the key of another environment under our kid or its own, is refused", async (t) => {
  const { tokens, forge, id } = await setUp(t);
  const other = generateKeyPairSync("ed25519").privateKey;
  const elsewhere = await setUp(t);
  await refused(tokens.verifyAccess(forge({}, { sub: id("usr") }, other)));
  await refused(tokens.verifyAccess(elsewhere.token));
});

test("J13 a claim that comes twice is refused, even signed by us", async (t) => {
  const { tokens, header, payload, privateKey, id } = await setUp(t);
  const text = JSON.stringify(payload);
  for (const extra of [`"sub":"${id("usr")}"`, '"roles":["admin"]', '"exp":99999999999', '"s\\u0075b":"x"']) {
    await refused(
      tokens.verifyAccess(signed(JSON.stringify(header), `${text.slice(0, -1)},${extra}}`, privateKey)),
      extra,
    );
    await refused(tokens.verifyAccess(signed(JSON.stringify(header), `{${extra},${text.slice(1)}`, privateKey)), extra);
  }
  for (const body of ["null", "[]", "1", "{", '{"__proto__":{"sub":"x"}}', "\u0000"]) {
    await refused(tokens.verifyAccess(signed(JSON.stringify(header), body, privateKey)), body);
  }
});

test("J14 tokens of the same id, moment and length never share a memory", async (t) => {
  const { tokens, forge, payload, id } = await setUp(t);
  const users = Array.from({ length: 20 }, () => id("usr"));
  const all = users.map((sub) => forge({}, { sub, jti: payload.jti }));
  for (let round = 0; round < 50; round++) {
    const claims = await Promise.all(all.map((token) => tokens.verifyAccess(token)));
    deepEqual(
      claims.map((claim) => claim.userId),
      users,
    );
  }
});

test("J14 what is remembered cannot be changed by who received it", async (t) => {
  const { tokens, token } = await setUp(t);
  const claims = await tokens.verifyAccess(token);
  ok(Object.isFrozen(claims) && Object.isFrozen(claims.roles));
});

test("J18 the old key's tokens pass during the overlap, and are refused after it, also when remembered", async (t) => {
  const { tokens, token, keys, clock, header, subject } = await setUp(t);
  ok(await tokens.verifyAccess(token));
  await keys.rotate();
  await clock.advance(60_000);
  const fresh = await tokens.signAccess(subject);
  ok(await tokens.verifyAccess(token));
  ok(await tokens.verifyAccess(fresh));
  await keys.retire(header.kid);
  await refused(tokens.verifyAccess(token));
  ok(await tokens.verifyAccess(fresh));
});

test("what was verified is known at once, as long as that is sure: not when it expired, was retired, or keys are to be read again", async (t) => {
  const { tokens, token, keys, clock, header, subject } = await setUp(t);
  equal(tokens.verifiedAccess(token), undefined);
  const claims = await tokens.verifyAccess(token);
  equal(tokens.verifiedAccess(token), claims);
  equal(tokens.verifiedAccess(`${token}x`), undefined);

  // The directory of keys is looked at twice a minute: until then nobody knows.
  await clock.advance(30_000);
  equal(tokens.verifiedAccess(token), undefined);
  await tokens.verifyAccess(token);
  equal(tokens.verifiedAccess(token), claims);

  await keys.rotate();
  await clock.advance(60_000);
  ok(await tokens.verifyAccess(await tokens.signAccess(subject)));
  equal(tokens.verifiedAccess(token), claims);
  await keys.retire(header.kid);
  equal(tokens.verifiedAccess(token), undefined);

  const last = await tokens.signAccess(subject);
  await tokens.verifyAccess(last);
  await clock.advance(tokens.accessTtlMs);
  await refused(tokens.verifyAccess(last));
  equal(tokens.verifiedAccess(last), undefined);
});

test("claims of the wrong type, and ids of another kind, are refused", async (t) => {
  const { tokens, forge, id } = await setUp(t);
  const changes = [
    ...[undefined, null, 1, "", "admin", id("ses"), "usr_x", [id("usr")]].map((sub) => ({ sub })),
    ...[undefined, null, 1, id("usr"), "ses_x"].map((sid) => ({ sid })),
    ...[undefined, null, 1, id("usr"), "tok_x", "tok_00000000000000000000000000"].map((jti) => ({ jti })),
    ...[undefined, null, "admin", [1], { admin: true }, [["admin"]]].map((roles) => ({ roles })),
    ...[undefined, null, 1, ["ann@example.com"]].map((email) => ({ email })),
  ];
  for (const change of changes) await refused(tokens.verifyAccess(forge({}, change)), JSON.stringify(change));
});

test("a token of a megabyte is refused before it is looked at, and one too long is not issued", async (t) => {
  const { tokens, subject, forge } = await setUp(t);
  await refused(tokens.verifyAccess("x".repeat(2 ** 20)));
  await refused(tokens.verifyAccess(forge({}, { email: "x".repeat(5_000) })));
  await rejects(
    tokens.signAccess({ ...subject, roles: Array.from({ length: 500 }, (_, index) => `role-${index}`) }),
    /fewer roles/,
  );
});

test("a token says it was issued when its facts were read", async (t) => {
  const { tokens, subject, clock } = await setUp(t);
  const asOfMs = clock.nowMs() - 2_500;
  const claims = await tokens.verifyAccess(await tokens.signAccess({ ...subject, asOfMs }));
  equal(claims.issuedAtMs, asOfMs);
});

test("a refresh token signed again later, by another process, after a rotation, is the same bytes", async (t) => {
  const { tokens, subject, id, keys, clock, directory, remembered } = await setUp(t);
  const tokenId = id("tok");
  const first = await tokens.signRefresh({ userId: subject.userId, tokenId });
  await keys.rotate();
  await clock.advance(61_000);
  const elsewhere = await openKeys({ directory, clock, random: systemRandom });
  const others = createTokens({ keys: elsewhere, issuer, audience, clock, random: systemRandom, remembered });
  equal(await others.signRefresh({ userId: subject.userId, tokenId }), first);
  equal(await tokens.signRefresh({ userId: subject.userId, tokenId }), first);
  notEqual(await tokens.signRefresh({ userId: subject.userId, tokenId: id("tok") }), first);
  const { issuedAtMs, expiresAtMs, ...rest } = await tokens.verifyRefresh(first);
  deepEqual(rest, { userId: subject.userId, tokenId });
  equal(expiresAtMs, Math.floor((issuedAtMs + 30 * 24 * 3_600_000) / 1000) * 1000);
});

test("R08 a refresh token does not live past the absolute end of its session", async (t) => {
  const { tokens, subject, id, clock } = await setUp(t);
  const expiresAtMs = clock.nowMs() + 60_000;
  const token = await tokens.signRefresh({ userId: subject.userId, tokenId: id("tok"), expiresAtMs });
  ok((await tokens.verifyRefresh(token)).expiresAtMs <= expiresAtMs);
  await clock.advance(60_000);
  await refused(tokens.verifyRefresh(token));
  await rejects(tokens.signRefresh({ userId: subject.userId, tokenId: "tok_x" }), /encodeId/);
});

test("a token is verified once and then remembered", async (t) => {
  const { tokens, token, remembered } = await setUp(t);
  const first = await tokens.verifyAccess(token);
  equal(await tokens.verifyAccess(token), first);
  equal(remembered.get(token)?.claims, first);
});
