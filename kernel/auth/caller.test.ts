import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../contract/index.ts";
import { bearerToken, userOf } from "./caller.ts";
import { credentialsMissing, roleMissing } from "./refusals.ts";

const refusedWith = (challenge: string) => (error: unknown) =>
  error instanceof Failure && error.status === 401 && error.headers["www-authenticate"] === challenge;
const plain = refusedWith('Bearer realm="ashlar"');
const invalidToken = refusedWith('Bearer realm="ashlar", error="invalid_token"');

test("J17 the scheme is read in any case", () => {
  for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) equal(bearerToken(`${scheme} a.b-c_d.e`), "a.b-c_d.e");
  equal(bearerToken(["Bearer x"]), "x");
  equal(bearerToken("Bearer   x="), "x=");
});

test("no header is no token and no refusal", () => {
  equal(bearerToken(undefined), undefined);
  equal(bearerToken([]), undefined);
});

test("J17 two headers are refused, even two of the same", () => {
  throws(() => bearerToken(["Bearer x", "Bearer y"]), invalidToken);
  throws(() => bearerToken(["Bearer x", "Bearer x"]), invalidToken);
});

test("a malformed bearer header is refused as an invalid token", () => {
  for (const value of [
    "Bearer",
    "Bearer ",
    "Bearer x y",
    "Bearer x, Bearer y",
    "Bearer\tx",
    "Bearer x,y",
    "Bearer é",
    "Bearer x\n",
    "bearer=x",
  ]) {
    throws(() => bearerToken(value), invalidToken, value);
  }
});

test("another scheme is refused as no credentials", () => {
  for (const value of ["Basic dTpw", "x", "", " Bearer x", "BearerX y", "Digest a=b"])
    throws(() => bearerToken(value), plain, value);
});

test("the challenges are those of RFC 6750", () => {
  equal(credentialsMissing().headers["www-authenticate"], 'Bearer realm="ashlar"');
  equal(roleMissing().headers["www-authenticate"], 'Bearer realm="ashlar", error="insufficient_scope"');
  equal(roleMissing().status, 403);
});

test("a caller is made of what the token says and the address it came from", () => {
  const claims = {
    userId: "usr_1",
    email: "a@b.c",
    roles: ["admin"],
    sessionId: "ses_1",
    tokenId: "tok_1",
    issuedAtMs: 1,
    expiresAtMs: 2,
  };
  deepEqual(userOf(claims, "::1"), {
    kind: "user",
    userId: "usr_1",
    email: "a@b.c",
    roles: ["admin"],
    sessionId: "ses_1",
    address: "::1",
  });
});
