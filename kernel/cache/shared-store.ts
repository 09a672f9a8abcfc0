// What several processes keep together. It may forget, delay and bring back what it likes: a value carries the number
// below which all transactions were over when it was read, and whoever finds it knows which changes it has to hold.

import type { Life } from "./rule.ts";

/** A value as it is kept for others. */
export interface Kept {
  /** Undefined: there is nothing. */
  readonly json: string | undefined;
  /** It was read when every transaction below this was over. */
  readonly below: number;
}

export type Found =
  | { readonly state: "kept"; readonly kept: Kept; readonly freshForMs: number }
  /** There is none: who gets this is the one to load it, and must `keep` it or `giveUp`. */
  | { readonly state: "yours"; readonly lease: string }
  /** Another process is loading it. */
  | { readonly state: "leased" };

/** Every question is bounded in time, and rejects when the store is down. */
export interface SharedStore {
  /** A fresh value that was read at `below` or later; else a lease to load it, for the first who asks. */
  find(key: string, below: number): Promise<Found>;
  /** Keeps a value, unless there is one that was read later, and ends the lease. */
  keep(key: string, kept: Kept, life: Life, lease: string | undefined): Promise<void>;
  giveUp(key: string, lease: string): Promise<void>;
}

/** Larger values are kept by each process for itself. */
export const sharedBytesMax = 256 * 1024;
