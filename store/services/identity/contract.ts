import {
  answered,
  anyone,
  change,
  either,
  email,
  errorCode,
  errors,
  integer,
  list,
  moment,
  nullable,
  object,
  oneOf,
  post,
  put,
  resource,
  role,
  self,
  service,
  servicesOnly,
  signedIn,
  text,
  id,
} from "ashlar/contract";
import { roleName, roleNames, scopes, versions } from "../../api.ts";

const password = () =>
  text({ min: 8, max: 128, description: "8 to 128 characters, any of them, and not a common password" });
// Any password that was ever accepted, and longer: letters that count as one when composed may arrive in parts.
const givenPassword = () => text({ min: 1, max: 512 });
const selfOrAdmin = either(self("id"), role("admin"));

export const user = resource("user", {
  path: "/users",
  id: "usr",
  properties: {
    email: email(),
    name: text({ min: 1, max: 200 }),
    roles: list(roleName(), { min: 1, max: 2, unique: true, default: ["member"] }),
  },
  readOnly: { emailVerifiedAt: nullable(moment()) },
  createOnly: { password: password() },
  private: { passwordHash: text({ max: 255 }), rolesChangedAt: nullable(moment()) },
  filterable: ["roles"],
  sortable: ["name", "email"],
  searchable: ["name", "email"],
  unique: [["email"]],
  writableBy: { roles: role("admin") },
  softDelete: { restorableBy: role("admin") },
  access: {
    list: role("admin"),
    create: anyone,
    get: selfOrAdmin,
    replace: selfOrAdmin,
    update: selfOrAdmin,
    remove: selfOrAdmin,
  },
  events: { created: "user.registered" },
  limit: { create: { class: "auth" } },
});

export const session = resource("session", {
  path: "/users/{userId}/sessions",
  id: "ses",
  properties: {},
  readOnly: { userId: id("usr"), lastUsedAt: moment(), userAgent: nullable(text({ max: 512 })) },
  private: { tokenHash: text({ max: 255 }), expiresAt: moment(), absoluteExpiresAt: moment() },
  softDelete: true,
  personal: true,
  access: { list: either(self("userId"), role("admin")), remove: either(self("userId"), role("admin")) },
  events: false,
});

export const apiKey = resource("apiKey", {
  path: "/users/{userId}/api-keys",
  id: "key",
  summary: "For machines that act for a user. The id is the beginning of the key",
  properties: {
    name: text({ min: 1, max: 100, examples: ["Warehouse sync"] }),
    scopes: list(oneOf(scopes), { min: 1, max: scopes.length, unique: true }),
    expiresAt: nullable(moment({ description: "From then on the key is refused; null: until it is deleted" })),
  },
  readOnly: { userId: id("usr"), lastUsedAt: nullable(moment({ description: "To about a minute" })) },
  private: { secretHash: text({ max: 64 }) },
  shownOnce: { key: text({ max: 128, description: "The key, shown here and never again. Send it as a bearer token" }) },
  softDelete: true,
  personal: true,
  access: {
    list: either(self("userId"), role("admin")),
    create: self("userId"),
    get: either(self("userId"), role("admin")),
    remove: either(self("userId"), role("admin")),
  },
  events: false,
  errors: { create: [errors.unprocessable] },
});

export const badCredentials = errorCode("INVALID_CREDENTIALS", 401, "The email or the password is wrong");
// 403 and not 401: the caller's token is good, and clients answer a 401 by refreshing it and trying again.
export const wrongPassword = errorCode("WRONG_PASSWORD", 403, "The current password is wrong");

// 422 and not 401: the token in a link is no credential of the request, and clients answer a 401 by signing in.
export const invalidLink = errorCode("INVALID_LINK", 422, "The token of the link is unknown, used or expired");

/** A session or an API key (`session`), a user, or the roles that a user has from now on. */
const endedToken = object({
  kind: oneOf(["session", "user", "roles"]),
  id: text({ max: 64 }),
  roles: nullable(list(roleName(), { max: 2 })),
  at: moment(),
});

const tokens = object({
  accessToken: text({ max: 4096 }),
  refreshToken: text({ max: 4096 }),
  tokenType: oneOf(["Bearer"]),
  expiresIn: integer({ min: 1, description: "Seconds until the access token expires" }),
});
const linkToken = () => text({ min: 1, max: 128, description: "What follows `#token=` in the link" });
const refreshToken = object({ refreshToken: text({ min: 1, max: 4096 }) });

/** Version 1 shows one role: the strongest. */
const roleOfVersion1 = change(user, {
  until: 1,
  removes: ["roles"],
  adds: { role: oneOf(roleNames, { default: "member" }) },
  toOlder: ({ roles, ...rest }) => ({
    ...rest,
    ...(roles === undefined ? {} : { role: (roles as string[]).includes("admin") ? "admin" : "member" }),
  }),
  toNewer: ({ role: name, ...rest }) => ({ ...rest, ...(name === undefined ? {} : { roles: [name] }) }),
  renames: { role: "roles" },
});

export const identity = service("identity", {
  database: "users",
  summary: "Users, their sessions and their tokens",
  versions,
  changes: [roleOfVersion1],
  resources: [user, session, apiKey],
  operations: {
    changePassword: put("/users/{id}/password", {
      summary: "Change your password; your other sessions end",
      params: { id: id("usr") },
      body: object({ currentPassword: givenPassword(), newPassword: password() }),
      access: self("id"),
      personal: true,
      errors: [wrongPassword, errors.conflict],
      limit: { class: "auth" },
    }),
    login: post("/auth/login", {
      summary: "Exchange email and password for tokens",
      description:
        "After ten failures in a row each further one brings a wait (429), for an address that nobody has as well. A device that was used to sign in within the last 30 days is not held up by the failures of others.",
      body: object({ email: text({ min: 1, max: 254 }), password: givenPassword() }),
      returns: tokens,
      status: 200,
      access: anyone,
      errors: [badCredentials],
      limit: { class: "auth" },
      secret: true,
      unversioned: true,
    }),
    refresh: post("/auth/refresh", {
      summary: "Exchange a refresh token for its successor",
      description: "A retry within 10 s gets the same successor. Any other reuse ends the session.",
      body: refreshToken,
      returns: tokens,
      status: 200,
      access: anyone,
      errors: [errors.unauthenticated],
      limit: { class: "auth" },
      secret: true,
      unversioned: true,
    }),
    logout: post("/auth/logout", {
      summary: "End the session of a refresh token",
      body: refreshToken,
      access: anyone,
      limit: { class: "auth" },
      secret: true,
      unversioned: true,
      repeatable: true,
    }),
    listEndedTokens: post("/ended-tokens", {
      summary: "Say what ended access tokens since a moment, or that a living one may meet",
      body: object({ since: nullable(moment()) }),
      returns: object({ until: moment(), ended: list(endedToken, { max: 100_000 }) }),
      status: 200,
      access: servicesOnly,
      repeatable: true,
    }),
    identifyApiKey: post("/api-keys/identifications", {
      summary: "Say whom an API key acts for",
      body: object({ id: id("key"), secretHash: text({ max: 64 }) }),
      returns: object({
        userId: id("usr"),
        email: email(),
        roles: list(roleName(), { max: 2 }),
        scopes: list(oneOf(scopes), { max: scopes.length }),
        expiresAt: answered(nullable(moment())),
      }),
      status: 200,
      access: servicesOnly,
      errors: [errors.unauthenticated],
      repeatable: true,
    }),
    forgotPassword: post("/auth/password/forgot", {
      summary: "Ask for a mail with a link to choose a new password",
      description: "The answer is the same whether or not somebody has this address.",
      body: object({ email: email() }),
      access: anyone,
      limit: { class: "auth", account: "email" },
      unversioned: true,
    }),
    resetPassword: post("/auth/password/reset", {
      summary: "Choose a new password with the token of a mailed link; every session ends",
      description: "A link works once, for an hour at most. A password that is refused does not use it up.",
      body: object({ token: linkToken(), newPassword: password() }),
      access: anyone,
      errors: [invalidLink],
      limit: { class: "auth" },
      secret: true,
      unversioned: true,
    }),
    verifyEmail: post("/auth/email/verify", {
      summary: "Confirm an email address with the token of a mailed link",
      description: "Registering, and changing the email, mails such a link. It works once, for an hour at most.",
      body: object({ token: linkToken() }),
      access: anyone,
      errors: [invalidLink],
      limit: { class: "auth" },
      secret: true,
      unversioned: true,
    }),
    requestVerification: post("/auth/email/verification", {
      summary: "Have a new link mailed to confirm your email address; the one before it ends",
      description: "Nothing is mailed when the address is confirmed already.",
      access: signedIn,
      personal: true,
      limit: { class: "auth" },
      unversioned: true,
    }),
  },
});
