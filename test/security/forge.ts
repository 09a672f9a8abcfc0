// Forges tokens: a good one of the store, with changes, signed by its own key or by another.

import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomInt, sign } from "node:crypto";

type Json = Record<string, unknown>;

export interface Forge {
  readonly header: Json;
  readonly payload: Json;
  /** A token whose header and claims are those of the good one but for the changes. */
  forge(headerChanges: object, claimChanges?: object, key?: KeyObject): string;
  /** A token of exactly these texts. */
  signed(header: string, payload: string, key?: KeyObject): string;
  /** The forged header with a MAC in place of the signature, keyed with each form of the public key. */
  maced(headerChanges: object): string[];
  /** The good token with one bit of its header, claims or signature flipped. */
  flipped(): string;
}

export function createForge(token: string, key: KeyObject): Forge {
  const parts = token.split(".");
  const [header, payload] = parts.slice(0, 2).map((part) => JSON.parse(decoded(part).toString())) as [Json, Json];
  const signed: Forge["signed"] = (head, body, signer = key) => {
    const input = `${encoded(head)}.${encoded(body)}`;
    return `${input}.${sign(null, Buffer.from(input), signer).toString("base64url")}`;
  };
  const forge: Forge["forge"] = (headerChanges, claimChanges = {}, signer = key) =>
    signed(JSON.stringify({ ...header, ...headerChanges }), JSON.stringify({ ...payload, ...claimChanges }), signer);
  return {
    header,
    payload,
    forge,
    signed,
    maced(headerChanges) {
      const input = forge(headerChanges).replace(/\.[^.]+$/, "");
      return formsOf(createPublicKey(key)).map(
        (secret) => `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`,
      );
    },
    flipped() {
      const bytes = parts.map(decoded);
      const part = bytes[randomInt(bytes.length)]!;
      part[randomInt(part.length)]! ^= 1 << randomInt(8);
      return bytes.map((one) => one.toString("base64url")).join(".");
    },
  };
}

export function attackerKey(): KeyObject {
  return generateKeyPairSync("ed25519").privateKey;
}

function formsOf(publicKey: KeyObject): (string | Buffer)[] {
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const jwk = publicKey.export({ format: "jwk" });
  const der = publicKey.export({ type: "spki", format: "der" });
  return [pem, ` ${pem}`, `\n${pem}`, pem.trim(), JSON.stringify(jwk), der, Buffer.from(jwk.x!, "base64url")];
}

function decoded(part: string): Buffer {
  return Buffer.from(part, "base64url");
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64url");
}
