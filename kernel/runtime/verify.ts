// Who a caller is: by an access token or, where the system has them, by an API key.
//
// The rows of API keys are a service's own. It is asked by a call like any other, so keys work the same
// wherever that service runs, and it is asked about a key once a minute at most.

import {
  type AccessClaims,
  createApiKeyVerifier,
  isApiKey,
  type KeyOwner,
  type PresentedKey,
  type Revocations,
  type Tokens,
} from "../auth/index.ts";
import type { Clock } from "../base/index.ts";
import { createMemoryCache } from "../cache/index.ts";
import { type Calls, createDeadline } from "../call/index.ts";
import type { Named, Operation, TSchema } from "../contract/index.ts";

/** The operation, for services only, that answers whom a key acts for, or 401. */
export type ApiKeyOperation = Named<Operation<Record<never, TSchema>, Record<never, TSchema>, PresentedKey, KeyOwner>>;

export interface VerifyOptions {
  tokens: Tokens;
  revocations: Revocations;
  apiKeys: ApiKeyOperation | undefined;
  calls: Calls;
  clock: Clock;
}

const rememberedKeysMax = 10_000;
const timeoutMs = 5_000;

/** Verifies the text of an Authorization header, at once if it did before; refuses with 401 what is not in force. */
export function createVerify(options: VerifyOptions): (token: string) => Promise<AccessClaims> | AccessClaims {
  const { tokens, revocations, apiKeys } = options;
  const verifyKey = apiKeys && createKeyVerifier(options, apiKeys);
  return (token) => {
    const verified = tokens.verifiedAccess(token);
    if (verified !== undefined) return revocations.check(verified);
    const verifying = verifyKey && isApiKey(token) ? verifyKey(token) : tokens.verifyAccess(token);
    return verifying.then((claims) => revocations.check(claims));
  };
}

function createKeyVerifier({ calls, clock }: VerifyOptions, operation: ApiKeyOperation) {
  return createApiKeyVerifier({
    clock,
    remembered: createMemoryCache<AccessClaims>({ clock, maxEntries: rememberedKeysMax }),
    ownerOf(key) {
      const deadline = createDeadline(clock, timeoutMs);
      const context = { from: "gateway", requestId: `api key ${key.id}`, traceparent: undefined, deadline };
      return calls.call(operation, { body: key }, context).finally(() => deadline.end());
    },
  });
}
