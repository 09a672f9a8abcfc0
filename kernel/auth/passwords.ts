// Passwords at rest: argon2id with OWASP's parameters, in PHC format, so that a hash says how it was made.
//
// A password is normalised to NFC first (NIST 800-63B): the same letters typed on another keyboard
// are the same password. Nothing is trimmed or cut.
//
// An unknown account costs a caller the same time as a wrong password: the same work is done against
// a hash that no password matches. A hash of other parameters than today's is verified beside that work, so
// that a cheaper one takes as long. To do after it what is missing was the other way, and the worse one: how
// long argon2 takes depends on the state of memory more than on its parameters. A dearer hash cannot be
// hidden; it takes its own time until its owner signs in.

import { hash, parseOptions, verify } from "@node-rs/argon2";
import type { Clock } from "../base/index.ts";
import { createGate } from "./gate.ts";

export interface PasswordCost {
  memoryKiB: number;
  passes: number;
}

export interface PasswordsOptions {
  clock: Clock;
  /** Each takes a core and `memoryKiB`. */
  maxConcurrent?: number;
  maxQueued?: number;
  queueTimeoutMs?: number;
  cost?: PasswordCost;
}

export interface Passwords {
  /** 503 with Retry-After when too many are being hashed. */
  hash(password: string): Promise<string>;
  /**
   * Whether this is the password of the hash. Undefined, for an account that does not exist, takes as
   * long and is never ok; a hash of cheaper parameters takes as long too. `needsRehash` after a success:
   * store a new hash, today's parameters are others.
   * 503 with Retry-After when too many are being hashed.
   */
  verify: Verify;
  /**
   * Runs `work` when its turn to hash has come, for work that goes with it and should not be done for who is
   * turned away. The `verify` it is given needs no turn of its own; `hash` would wait for one, so hash after it.
   */
  inTurn<T>(work: (verify: Verify) => Promise<T>): Promise<T>;
}

type Verify = (hash: string | undefined, password: string) => Promise<{ ok: boolean; needsRehash: boolean }>;

/** `Algorithm.Argon2id`, whose declaration as a const enum cannot be imported into isolated modules. */
const argon2id = 2;

export function createPasswords(options: PasswordsOptions): Passwords {
  const { clock, maxConcurrent = 2, maxQueued = 64, queueTimeoutMs = 3_000 } = options;
  const cost = options.cost ?? { memoryKiB: 19_456, passes: 2 };
  const gate = createGate({ clock, maxConcurrent, maxQueued, queueTimeoutMs });
  const nobodysHash = unmatchedHash(cost);
  const verifyNow: Verify = async (stored, password) => {
    const normal = password.normalize("NFC");
    const isOld = stored !== undefined && !isOfCost(stored, cost);
    const [matches] = await Promise.all([
      verify(stored ?? nobodysHash, normal),
      isOld ? verify(nobodysHash, normal) : false,
    ]);
    const ok = matches && stored !== undefined;
    return { ok, needsRehash: ok && isOld };
  };

  return {
    hash: (password) =>
      gate.run(() =>
        hash(password.normalize("NFC"), {
          algorithm: argon2id,
          memoryCost: cost.memoryKiB,
          timeCost: cost.passes,
          parallelism: 1,
        }),
      ),
    verify: (stored, password) => gate.run(() => verifyNow(stored, password)),
    inTurn: (work) => gate.run(() => work(verifyNow)),
  };
}

/** A hash of these parameters whose digest is all zero: no password is known for it, and finding one is 2^256 work. */
export function unmatchedHash({ memoryKiB, passes }: PasswordCost): string {
  const salt = Buffer.alloc(16).toString("base64").replaceAll("=", "");
  const digest = Buffer.alloc(32).toString("base64").replaceAll("=", "");
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=1$${salt}$${digest}`;
}

function isOfCost(stored: string, { memoryKiB, passes }: PasswordCost): boolean {
  const made = parseOptions(stored);
  return (
    stored.startsWith("$argon2id$v=19$") &&
    made.memoryCost === memoryKiB &&
    made.timeCost === passes &&
    made.parallelism === 1
  );
}
