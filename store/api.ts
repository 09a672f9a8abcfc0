// What all contracts of the store share: its roles and the versions of its API.

import { type ApiVersion, oneOf } from "ashlar/contract";

/** Version 2 shows the roles of a user as a list; everything else is the same in both. */
export const versions: readonly ApiVersion[] = [{ number: 1 }, { number: 2 }];

export const roleNames = ["member", "admin"] as const;
export const roleName = () => oneOf(roleNames);
