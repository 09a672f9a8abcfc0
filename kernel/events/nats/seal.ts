// Who can reach NATS can write to any subject, or read from it; only who has the secret of the system can make
// an event, or a confirmation, that another process of it believes.

import { createHmac, timingSafeEqual } from "node:crypto";

export interface Seal {
  of(...parts: readonly (string | Uint8Array)[]): string;
  holds(seal: string, ...parts: readonly (string | Uint8Array)[]): boolean;
}

export function createSeal(secret: Uint8Array): Seal {
  const digest = (parts: readonly (string | Uint8Array)[]) => {
    const hmac = createHmac("sha256", secret);
    for (const part of parts) {
      const bytes = typeof part === "string" ? Buffer.from(part) : part;
      // With its length, so that no byte can wander from one part to the next.
      hmac.update(`${bytes.length}:`).update(bytes);
    }
    return hmac.digest();
  };
  return {
    of: (...parts) => digest(parts).toString("base64url"),
    holds(seal, ...parts) {
      const given = Buffer.from(seal, "base64url");
      const right = digest(parts);
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
}
