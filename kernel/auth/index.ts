// Who is asking, and how they prove it: tokens, their keys and their early end, passwords.
// What has tables (users, sessions, refresh families) is a service on top of this.
export {
  createApiKeyVerifier,
  isApiKey,
  makeApiKey,
  rememberedMs as apiKeyRememberedMs,
  type KeyOwner,
  type PresentedKey,
} from "./api-keys.ts";
export { bearerToken, userOf, type Caller } from "./caller.ts";
export { openKeys, type Keys, type KeysOptions, type KeyState } from "./keys.ts";
export { passwordIssue, type PasswordContext } from "./password-policy.ts";
export { createPasswords, type PasswordCost, type Passwords, type PasswordsOptions } from "./passwords.ts";
export { credentialsMissing, roleMissing, scopeMissing, tokenRefused } from "./refusals.ts";
export { createRevocations, type Revocation, type Revocations } from "./revocations.ts";
export { noteSecurityEvent, type SecurityEvent } from "./security-events.ts";
export {
  createTokens,
  type AccessClaims,
  type AccessSubject,
  type RefreshClaims,
  type RememberedToken,
  type TokenMemory,
  type Tokens,
  type TokensOptions,
} from "./tokens.ts";
