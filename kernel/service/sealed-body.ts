// A recorded answer that holds a credential, such as a new API key, is not readable where it lies.
//
// It is encrypted (AES-256-GCM) under a key made of the Idempotency-Key, which is stored nowhere: who retries
// the request brings what opens it. An Idempotency-Key that can be guessed protects as little as any such secret.

import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import type { Random } from "../base/index.ts";

const cipher = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;

export interface Seal {
  close(text: string): string;
  /** Throws for what was not closed under this key. */
  open(sealed: string): string;
}

/** `scope` sets apart what was sealed under the same key for another caller or address. */
export function createSeal(idempotencyKey: string, scope: Uint8Array, random: Random): Seal {
  const key = Buffer.from(hkdfSync("sha256", idempotencyKey, scope, "ashlar idempotency body", 32));
  return {
    close(text) {
      const iv = random.bytes(ivBytes);
      const closing = createCipheriv(cipher, key, iv);
      const closed = Buffer.concat([closing.update(text, "utf8"), closing.final()]);
      return Buffer.concat([iv, closing.getAuthTag(), closed]).toString("base64");
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, "base64");
      const opening = createDecipheriv(cipher, key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes });
      opening.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
      return Buffer.concat([opening.update(bytes.subarray(ivBytes + tagBytes)), opening.final()]).toString("utf8");
    },
  };
}
