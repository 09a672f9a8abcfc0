// Which function answers which operation.

import { type Implementation, implement, type Context } from "ashlar/service";
import { createApiKey, deleteApiKey, identifyApiKey } from "./api-keys.ts";
import { identity } from "./contract.ts";
import { clearSessions } from "./expiry.ts";
import { purgeLinks } from "./links.ts";
import { login, logout } from "./login.ts";
import { createMails } from "./mails.ts";
import { defaultPolicy, type Parts, type Policy } from "./parts.ts";
import { changePassword } from "./password.ts";
import { refresh } from "./refresh.ts";
import { answerResetRequests, forgotPassword, resetPassword } from "./reset.ts";
import { createRevocationFeed, listEndedTokens } from "./revocation-feed.ts";
import { deleteSession } from "./sessions.ts";
import { purgeTries } from "./tries.ts";
import { changeUser, createUser, deleteUser } from "./users.ts";
import { requestVerification, verifyEmail } from "./verification.ts";

export function identityService({
  policy,
  ...lent
}: Omit<Parts, "policy"> & { policy?: Partial<Policy> }): Implementation {
  const parts: Parts = { ...lent, policy: { ...defaultPolicy, ...policy } };
  const withParts =
    <I, O>(handler: (ctx: Context, input: I, parts: Parts) => O) =>
    (ctx: Context, input: I) =>
      handler(ctx, input, parts);

  return implement(identity, {
    migrations: new URL("./migrations/", import.meta.url),
    standard: {
      createUser: withParts(createUser),
      replaceUser: withParts(changeUser),
      updateUser: withParts(changeUser),
      deleteUser: withParts(deleteUser),
      deleteSession: withParts(deleteSession),
      createApiKey: withParts(createApiKey),
      deleteApiKey: withParts(deleteApiKey),
    },
    handlers: {
      changePassword: withParts(changePassword),
      login: withParts(login),
      refresh: withParts(refresh),
      logout: withParts(logout),
      identifyApiKey,
      listEndedTokens: withParts(listEndedTokens),
      forgotPassword,
      resetPassword: withParts(resetPassword),
      verifyEmail,
      requestVerification: (ctx) => requestVerification(ctx, parts),
    },
    mails: createMails(parts),
    jobs: {
      revocations: createRevocationFeed(parts),
      sessions: { everyMs: 60_000, run: (ctx) => clearSessions(ctx, parts) },
      resetRequests: { everyMs: 2_000, run: (ctx) => answerResetRequests(ctx, parts) },
      links: { everyMs: 10 * 60_000, run: (ctx) => purgeLinks(ctx) },
      tries: { everyMs: 10 * 60_000, run: (ctx) => purgeTries(ctx) },
    },
  });
}
