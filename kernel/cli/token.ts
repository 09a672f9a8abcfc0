// `ashlar token`: an access token for trying an app out before it has a service that logs people in.

import { createTokens, openKeys } from "../auth/index.ts";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { findApp, settingsOf } from "./find-app.ts";

const clock = systemClock;
const random = systemRandom;

/** Signs with the keys in the app's data folder, so the app takes the token whether it runs now or later. */
export async function printToken({ user, role = [] }: { user?: string; role?: readonly string[] }): Promise<void> {
  const { issuer, dataDirectory } = settingsOf(await findApp()).system;
  const keys = await openKeys({ directory: dataDirectory, clock, random });
  const remembered = { get: () => undefined, set: () => {} };
  const tokens = createTokens({ keys, issuer, audience: issuer, clock, random, remembered });
  const newId = (prefix: string) => encodeId(prefix, uuidv7(clock, random));
  const token = await tokens.signAccess({
    userId: user ?? newId("usr"),
    email: "someone@example.com",
    roles: role,
    sessionId: newId("ses"),
  });
  process.stdout.write(`${token}\n`);
}
