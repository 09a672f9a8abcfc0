// What ended access tokens before they expire: the view of one process, in memory, rebuilt from the
// store of record with `apply` (at start and when other processes changed something).
//
// `iat` has whole seconds, and one second holds tokens from before and after a change, so it is never
// compared. Each method is such that no order inside a second or a millisecond can do harm:
// - `revokeSession` names the session; nothing is compared, and a new login has a new session. It is
//   the one for logout, password change and whatever else the user survives.
// - `setRoles` overrides the roles of every token of the user, older or newer: the latest change is
//   what holds, also against a token signed just after it from roles that were read just before it.
// - `revokeUser` compares milliseconds (the token's id has them) and ends that same millisecond too: it
//   is the one for a deleted or blocked user, who gets no token afterwards. Tokens must be signed with
//   `asOfMs` taken before the user was read, or one that was being signed meanwhile would outlive it.
//
// Nothing is dropped early, since that would revive a token: an entry stays for the life of an access
// token and a minute, after which there is none left that it could meet. Logins are limited, so are
// entries.

import type { Clock } from "../base/index.ts";
import { tokenRefused } from "./refusals.ts";
import type { AccessClaims } from "./tokens.ts";

/** One change, as a store keeps it and another process applies it. `atMs` is when it was made. */
export type Revocation =
  | { kind: "session"; sessionId: string; atMs: number }
  | { kind: "user"; userId: string; atMs: number }
  | { kind: "roles"; userId: string; roles: readonly string[]; atMs: number };

export interface Revocations {
  /** Ends every access token of a session. */
  revokeSession(sessionId: string): void;
  /** Ends the user's tokens issued until then, that millisecond included. */
  revokeUser(userId: string, beforeMs?: number): void;
  /** From now on the user's tokens count as if they carried these roles. */
  setRoles(userId: string, roles: readonly string[]): void;
  /** Takes in changes made elsewhere, in any order and also repeatedly: of two for the same user the later one holds. */
  apply(entries: Iterable<Revocation>): void;
  /** The claims with the roles the user has now. Refuses with 401 when the token was ended. */
  check(claims: AccessClaims): AccessClaims;
  /** How many changes are remembered, for a gauge. */
  size(): number;
}

interface State {
  sessions: Map<string, { atMs: number }>;
  users: Map<string, { atMs: number }>;
  roles: Map<string, { atMs: number; roles: readonly string[] }>;
  purgedAtMs: number;
}

/** For clocks that differ, and for a request that reads the roles before a change and signs after it. */
const marginMs = 60_000;

/** `ttlMs` is the life of an access token. */
export function createRevocations({ clock, ttlMs }: { clock: Clock; ttlMs: number }): Revocations {
  const state: State = { sessions: new Map(), users: new Map(), roles: new Map(), purgedAtMs: clock.nowMs() };
  const apply = (entries: Iterable<Revocation>) => {
    for (const entry of entries) remember(state, entry);
    purge(state, clock.nowMs(), ttlMs);
  };
  return {
    revokeSession: (sessionId) => apply([{ kind: "session", sessionId, atMs: clock.nowMs() }]),
    revokeUser: (userId, beforeMs = clock.nowMs()) => apply([{ kind: "user", userId, atMs: beforeMs }]),
    setRoles: (userId, roles) => apply([{ kind: "roles", userId, roles: [...roles], atMs: clock.nowMs() }]),
    apply,
    check: (claims) => check(state, claims),
    size: () => state.sessions.size + state.users.size + state.roles.size,
  };
}

function check(state: State, claims: AccessClaims): AccessClaims {
  if (state.sessions.has(claims.sessionId)) throw tokenRefused("The session was ended");
  const user = state.users.get(claims.userId);
  if (user !== undefined && claims.issuedAtMs <= user.atMs) throw tokenRefused("The user's tokens were ended");
  const changed = state.roles.get(claims.userId);
  return changed === undefined ? claims : { ...claims, roles: changed.roles };
}

function remember(state: State, entry: Revocation): void {
  if (entry.kind === "session") return keepLatest(state.sessions, entry.sessionId, { atMs: entry.atMs });
  if (entry.kind === "user") return keepLatest(state.users, entry.userId, { atMs: entry.atMs });
  keepLatest(state.roles, entry.userId, { atMs: entry.atMs, roles: entry.roles });
}

function keepLatest<E extends { atMs: number }>(entries: Map<string, E>, key: string, entry: E): void {
  const present = entries.get(key);
  // Of the same millisecond the one that came last: a store lists its changes in their order.
  if (present === undefined || entry.atMs >= present.atMs) entries.set(key, entry);
}

/** Drops what no living token can meet. Looks at everything, so it does so ten times per life and not at each change. */
function purge(state: State, nowMs: number, ttlMs: number): void {
  if (Math.abs(nowMs - state.purgedAtMs) < ttlMs / 10) return;
  state.purgedAtMs = nowMs;
  for (const entries of [state.sessions, state.users, state.roles]) {
    for (const [key, { atMs }] of entries) if (nowMs - atMs > ttlMs + marginMs) entries.delete(key);
  }
}
