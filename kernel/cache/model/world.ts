// A database of a few rows and everything that can come between a question and its answer, by hand and by seed.
//
// Nothing here waits for time: whoever sends something waits at a hop until the world picks that hop, in any order.
// So an answer may arrive before, among or after everything else that is under way.

import type { Queryable, Tx } from "../../data/index.ts";

export interface Row {
  version: number;
  gone: boolean;
}

interface Transaction {
  xid: number;
  /** Whether each row it writes is gone afterwards. */
  rows: Map<string, boolean>;
  tags: string[];
}

export interface Ended {
  /** `unknown`: the connection died, so it happened, or did not, or will yet. */
  outcome: "committed" | "rolledBack" | "unknown";
  /** By key, the versions it made. */
  versions: ReadonlyMap<string, number>;
}

export class World {
  nowMs = 1_000_000_000;
  /** One look at the marks in so many gets no answer. */
  lossOfLooks = 8;
  /** What was committed, by key, oldest first. */
  readonly history = new Map<string, Row[]>();
  /** What may happen next. */
  private readonly hops: (() => void)[] = [];
  private readonly running = new Set<Transaction>();
  private marks: { xid: number; tags: string[] }[] = [];
  private nextXid = 1;
  private prunedBelow = 1;
  private prunableBelow = 1;
  private seed: number;

  constructor(seed: number, keys: readonly string[]) {
    this.seed = seed;
    for (const key of keys) this.history.set(key, [{ version: 0, gone: false }]);
  }

  /** From 0 to below `below`: mulberry32. */
  chance(below: number): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  get waiting(): number {
    return this.hops.length;
  }

  /** The way to somewhere else, as long as the world likes. */
  hop(): Promise<void> {
    return new Promise((resolve) => void this.hops.push(resolve));
  }

  /** Lets one of those who wait go on. */
  letGo(): void {
    const index = this.chance(this.hops.length);
    const go = this.hops[index]!;
    this.hops[index] = this.hops.at(-1)!;
    this.hops.pop();
    go();
  }

  newest(key: string): Row {
    return this.history.get(key)!.at(-1)!;
  }

  isLocked(key: string): boolean {
    return [...this.running].some(({ rows }) => rows.has(key));
  }

  private xmin(): number {
    return Math.min(this.nextXid, ...[...this.running].map(({ xid }) => xid));
  }

  prune(): void {
    this.prunedBelow = this.prunableBelow;
    this.prunableBelow = this.xmin();
    this.marks = this.marks.filter(({ xid }) => xid >= this.prunedBelow);
  }

  /** What a process asks of the database: the marks, with hops there and back, and now and then no answer. */
  readonly db: Queryable = {
    query: async (_sql, values) => {
      await this.hop();
      const since = values![0] === null ? this.prunedBelow : Number(values![0]);
      const found = this.marks.filter(({ xid }) => xid >= since).map(({ xid, tags }) => [String(xid), tags]);
      const look = {
        database: "model",
        xmin: String(this.xmin()),
        pruned_below: String(this.prunedBelow),
        marks: JSON.stringify(found),
      };
      await this.hop();
      if (this.chance(this.lossOfLooks) === 0) throw new Error("The answer was lost");
      return { rows: [look] as never[], rowCount: 1 };
    },
  };

  /** One transaction that writes the keys. Answers how its commit went; an unknown one may still happen, much later. */
  async transaction(keys: readonly string[], run: (tx: Tx) => void): Promise<Ended> {
    const transaction: Transaction = { xid: this.nextXid++, rows: new Map(), tags: [] };
    for (const key of keys) transaction.rows.set(key, this.chance(5) === 0);
    this.running.add(transaction);
    const before: (() => Promise<void>)[] = [];
    const after: (() => void)[] = [];
    run({
      query: async (_sql, values) => {
        await this.hop();
        transaction.tags = [...(values![0] as string[])];
        await this.hop();
        return { rows: [{ xid: String(transaction.xid) }] as never[], rowCount: 1 };
      },
      beforeCommit: (last) => void before.push(last),
      afterCommit: (next) => void after.push(next),
    });
    // Some take long, while others that began later are over before them.
    for (let hops = this.chance(4) === 0 ? 1 + this.chance(50) : 1; hops > 0; hops--) await this.hop();
    if (this.chance(6) === 0) return this.end(transaction, false);
    for (const last of before) await last();
    const ended = await this.commit(transaction);
    if (ended.outcome === "committed") for (const next of after) next();
    return ended;
  }

  private async commit(transaction: Transaction): Promise<Ended> {
    const fate = this.chance(8);
    if (fate === 0) {
      // The connection dies first; what the server makes of it shows later.
      void this.hop().then(() => this.end(transaction, this.chance(3) > 0));
      await this.hop();
      return { outcome: "unknown", versions: new Map() };
    }
    await this.hop();
    const ended = this.end(transaction, fate > 1);
    await this.hop();
    return ended;
  }

  private end(transaction: Transaction, committed: boolean): Ended {
    this.running.delete(transaction);
    const versions = new Map<string, number>();
    if (!committed) return { outcome: "rolledBack", versions };
    for (const [key, gone] of transaction.rows) {
      const version = this.newest(key).version + 1;
      this.history.get(key)!.push({ version, gone });
      versions.set(key, version);
    }
    if (transaction.tags.length > 0) this.marks.push({ xid: transaction.xid, tags: transaction.tags });
    return { outcome: "committed", versions };
  }
}
