// What all contracts of the store share: its roles and the versions of its API.

import { type ApiVersion, oneOf } from "ashlar/contract";

/** Version 2 shows the roles of a user as a list; everything else is the same in both. */
export const versions: readonly ApiVersion[] = [{ number: 1 }, { number: 2 }];

/** What an API key may be allowed: to read, or to write, what a service has. */
export const scopes = [
  "identity:read",
  "identity:write",
  "catalog:read",
  "catalog:write",
  "orders:read",
  "orders:write",
] as const;

export const roleNames = ["member", "admin"] as const;
export const roleName = () => oneOf(roleNames);
