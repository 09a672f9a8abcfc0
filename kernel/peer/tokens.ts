// What one process of a system tells another about a request, signed so that nobody else can say it.
//
// A bare header is believed by nobody: who reaches the port of a service without the gateway has no
// such token. It is bound to the service it is for and to one use, and lives for seconds; the key is derived
// from the installation's secret, which every process of it has and nothing else.

import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/index.ts";

export interface PeerClaims {
  /** What it is good for: `GET /v1/users`, `call identity.identifyApiKey`, `events catalog`. */
  readonly use: string;
  readonly [name: string]: unknown;
}

export interface PeerTokens {
  sign(audience: string, claims: PeerClaims): string;
  /** The claims of a genuine, fresh token for this audience and use; throws an Error that says what is wrong. */
  read(token: string | undefined, audience: string, use: string): PeerClaims;
}

/** In which a token comes. */
export const peerHeader = "ashlar-peer";

/** The clocks of two machines of one system may differ by this much, and a request may travel for the rest. */
const lifeMs = 60_000;
const lengthMax = 16 * 1024;

export function createPeerTokens({ secret, clock }: { secret: Uint8Array; clock: Clock }): PeerTokens {
  // A key that node has read already, and a digest that it writes as text: half the time of the other way.
  const key = createSecretKey(secret);
  const macOf = (payload: string) => createHmac("sha256", key).update(payload).digest("base64url");
  return {
    sign(audience, claims) {
      const payload = Buffer.from(JSON.stringify({ ...claims, aud: audience, atMs: clock.nowMs() })).toString(
        "base64url",
      );
      return `${payload}.${macOf(payload)}`;
    },
    read(token, audience, use) {
      if (token === undefined || token.length > lengthMax) throw new Error("There is no token of a peer");
      const [payload = "", mac = "", ...rest] = token.split(".");
      const given = Buffer.from(mac);
      const expected = Buffer.from(macOf(payload));
      if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
        throw new Error("The token is of no peer");
      const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as PeerClaims &
        Record<"aud" | "atMs", unknown>;
      if (claims.aud !== audience) throw new Error(`The token is for ${String(claims.aud)}`);
      if (claims.use !== use) throw new Error(`The token is for ${claims.use}`);
      if (Math.abs(clock.nowMs() - Number(claims.atMs)) > lifeMs) throw new Error("The token is not of this minute");
      return claims;
    },
  };
}
