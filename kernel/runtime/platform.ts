// What the services of a process are lent: tokens, passwords, secrets.

import { availableParallelism } from "node:os";
import { createPasswords, createRevocations, createTokens, openKeys, type RememberedToken } from "../auth/index.ts";
import type { MemoryCache } from "../cache/index.ts";
import type { Platform, SystemOptions } from "./definition.ts";
import { deriveSecret } from "./secret.ts";

/**
 * Passwords hashed at a time: on two cores one, so that the other is left for everybody else during a flood of
 * logins. Never more than half of the four threads that Node has for this, since answers are compressed there too.
 */
const passwordConcurrency = Math.max(1, Math.min(2, availableParallelism() - 1));

export async function createPlatform(
  { definition, settings, clock, random }: SystemOptions,
  remembered: MemoryCache<RememberedToken>,
  secret: Uint8Array,
) {
  const keys = await openKeys({ directory: settings.dataDirectory, clock, random });
  const tokens = createTokens({ keys, issuer: settings.issuer, audience: settings.issuer, clock, random, remembered });
  const platform: Platform = {
    tokens,
    passwords: createPasswords({ clock, maxConcurrent: passwordConcurrency }),
    revocations: createRevocations({ clock, ttlMs: tokens.accessTtlMs }),
    clock,
    title: definition.title,
    publicUrl: settings.publicUrl,
    refusalStepMs: settings.refusalStepMs,
    secretFor: (purpose) => deriveSecret(secret, purpose),
  };
  return { platform, jwks: () => keys.jwks() };
}
