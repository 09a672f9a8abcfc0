// What identity is made of, and the numbers it goes by.

import type { Passwords, Revocations, Tokens } from "ashlar/auth";

export interface Policy {
  /** Who lost the answer to a refresh may ask again this long, and gets the same one. */
  readonly refreshRetryMs: number;
  /** A session ends this long after its login, however often it is refreshed. */
  readonly sessionMaxAgeMs: number;
  /** A login beyond this many ends the session that was used least recently. */
  readonly sessionsPerUserMax: number;
  /** Living ones; more are refused. */
  readonly apiKeysPerUserMax: number;
  /** How long a mailed link works. */
  readonly linkTtlMs: number;
  /** Mails with links to one address, and of one user, in any hour. */
  readonly linksPerHourMax: number;
}

export interface Parts {
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  readonly revocations: Revocations;
  readonly policy: Policy;
  /** What the system is called in mails. */
  readonly title: string;
  /** Where the links in mails lead. */
  readonly publicUrl: string;
  /** Refused sign-ins are answered on a multiple of this since they came; 0 is at once. */
  readonly refusalStepMs: number;
  secretFor(purpose: string): Uint8Array;
}

const dayMs = 24 * 60 * 60_000;

export const defaultPolicy: Policy = {
  refreshRetryMs: 10_000,
  sessionMaxAgeMs: 90 * dayMs,
  sessionsPerUserMax: 100,
  apiKeysPerUserMax: 50,
  linkTtlMs: 60 * 60_000,
  linksPerHourMax: 5,
};
