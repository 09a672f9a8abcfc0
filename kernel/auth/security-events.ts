// Security events: what a person who watches over a system counts and is woken by.
//
// They are lines of the log with a name from a closed list, in `security`, so that an alert need not match
// sentences. Each says who asked and from where, and in which request; when, the log adds. They hold no
// secret, and of an account that nobody has not even the email that was tried: people type passwords there.

import type { LogFields, Logger } from "../base/index.ts";
import type { Caller } from "./caller.ts";

const events = {
  signed_in: { level: "info", sentence: "Signed in" },
  sign_in_refused: { level: "warn", sentence: "A sign-in was refused" },
  sign_in_throttled: { level: "warn", sentence: "A sign-in was refused unheard: too many have failed" },
  signed_out: { level: "info", sentence: "Signed out" },
  refresh_token_reused: { level: "warn", sentence: "A refresh token was used twice; its session was ended" },
  token_refused: { level: "warn", sentence: "A token was refused" },
  access_refused: { level: "warn", sentence: "Somebody asked for what they may not do" },
  limit_reached: { level: "warn", sentence: "A limit was reached" },
  roles_changed: { level: "info", sentence: "Roles were changed" },
  password_changed: { level: "info", sentence: "A password was changed" },
  password_change_refused: { level: "warn", sentence: "A change of password was refused: the current one was wrong" },
  password_reset: { level: "info", sentence: "A password was reset by a mailed link" },
  email_verified: { level: "info", sentence: "An email address was verified" },
  api_key_made: { level: "info", sentence: "An API key was made" },
  api_key_deleted: { level: "info", sentence: "An API key was deleted" },
} as const satisfies Record<string, { level: "info" | "warn"; sentence: string }>;

export type SecurityEvent = keyof typeof events;

/** `log` is that of the request. `fields` win over what is said of the caller: a login is about its account. */
export function noteSecurityEvent(log: Logger, event: SecurityEvent, caller: Caller, fields: LogFields = {}): void {
  const { level, sentence } = events[event];
  log[level]({ security: event, ...whoIs(caller), ...fields }, sentence);
}

function whoIs(caller: Caller): LogFields {
  if (caller.kind === "service") return { by: caller.name };
  if (caller.kind === "nobody") return { address: caller.address };
  const { userId, sessionId, address } = caller;
  return { userId, sessionId, address };
}
