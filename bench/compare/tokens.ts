// Tokens of the users that the requests come from: the store's, signed with its keys, and those of everybody else.

import { createHmac, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createTokens, openKeys } from "ashlar/auth";
import { encodeId, systemClock, systemRandom, uuidv7 } from "ashlar/base";
import { emailOf, regulars, typeIdOf, uuidOf } from "./data.ts";

const lifeMs = 24 * 60 * 60 * 1_000;

/** By the number of the user; what stands at 0 is nobody's. */
export type UserTokens = readonly string[];

const numbers = Array.from({ length: regulars }, (_, index) => index + 1);

export async function storeTokens(dataDirectory: string): Promise<UserTokens> {
  const clock = systemClock;
  const random = systemRandom;
  const keys = await openKeys({ directory: dataDirectory, clock, random });
  const issuer = "ashlar-store";
  const remembered = { get: () => undefined, set: () => {} };
  const tokens = createTokens({ keys, issuer, audience: issuer, clock, random, remembered, accessTtlMs: lifeMs });
  const made = numbers.map((n) =>
    tokens.signAccess({
      userId: typeIdOf("user", n),
      email: emailOf(n),
      roles: ["member"],
      sessionId: encodeId("ses", uuidv7(clock, random)),
    }),
  );
  return ["", ...(await Promise.all(made))];
}

const { privateKey } = generateKeyPairSync("ed25519");
/** What peers verify tokens with, and sign those of a login. */
export const peerKey = JSON.stringify(privateKey.export({ format: "jwk" }));

export function peerTokens(): UserTokens {
  return tokensOf("EdDSA", (signed) => sign(null, signed, privateKey));
}

/** For those that know no Ed25519. */
export function sharedSecretTokens(secret: string): UserTokens {
  return tokensOf("HS256", (signed) => createHmac("sha256", secret).update(signed).digest());
}

function tokensOf(alg: string, signatureOf: (signed: Buffer) => Buffer): UserTokens {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const issuedAt = Math.floor(Date.now() / 1_000);
  return [
    "",
    ...numbers.map((n) => {
      const claims = {
        iss: "shop",
        aud: "shop",
        sub: uuidOf("user", n),
        email: emailOf(n),
        roles: ["member"],
        sid: randomUUID(),
        jti: randomUUID(),
        iat: issuedAt,
        exp: issuedAt + lifeMs / 1_000,
      };
      const signed = `${part({ alg, typ: "at+jwt" })}.${part(claims)}`;
      return `${signed}.${signatureOf(Buffer.from(signed)).toString("base64url")}`;
    }),
  ];
}
