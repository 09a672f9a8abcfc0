// What is known of invalidations: for each tag, when it was last invalidated.
//
// "When" is a position in the order of invalidations that this process learned of, and no time of any clock.
// Whoever reads the database to fill the cache takes the position first; a tag invalidated at a later position
// makes the filling worthless, whether it is on its way or stored already. So nothing has to be found and deleted.
//
// The number of tags is bounded. What is known of the longest untouched is forgotten in the careful direction:
// everything that was read before it counts as changed.

// A process that reads what another has kept knows no position of its own for it. There the numbers of the transactions
// count: a value that was read when all below a number were over holds every change below it.

export interface Tags {
  /** The present position. Take it before the reading begins. */
  position(): number;
  /** Whether none of the tags was invalidated after the position. Only then may a value be stored or served. */
  isCurrent(tags: readonly string[], position: number): boolean;
  /** The number of a transaction: what was read when all below it were over holds every known change of the tags. */
  changedBelow(tags: readonly string[]): number;
  /** By the transaction `xid`. */
  invalidate(tags: readonly string[], xid: number): void;
  /** Everything that this process has read; and what others have, if not all transactions below `xid` were over then. */
  invalidateAll(xid: number): void;
}

export const tagsMax = 100_000;

interface Change {
  position: number;
  /** The highest of the transactions that changed it. */
  xid: number;
}

export function createTags(max = tagsMax): Tags {
  /** In the order of their last invalidation. */
  const changes = new Map<string, Change>();
  let position = 0;
  /** Everything read before this, or when transactions below that were not over yet, counts as changed. */
  const floor = { position: 0, xid: 0 };
  return {
    position: () => position,
    isCurrent: (tags, since) =>
      since >= floor.position && tags.every((tag) => (changes.get(tag)?.position ?? 0) <= since),
    changedBelow: (tags) => Math.max(floor.xid, ...tags.map((tag) => (changes.get(tag)?.xid ?? -1) + 1)),
    invalidate(tags, xid) {
      position++;
      for (const tag of tags) {
        const before = changes.get(tag);
        changes.delete(tag);
        changes.set(tag, { position, xid: Math.max(xid, before?.xid ?? 0) });
      }
      for (const [tag, change] of changes) {
        if (changes.size <= max) break;
        changes.delete(tag);
        floor.position = Math.max(floor.position, change.position);
        floor.xid = Math.max(floor.xid, change.xid + 1);
      }
    },
    invalidateAll(xid) {
      floor.position = ++position;
      floor.xid = Math.max(floor.xid, xid);
    },
  };
}
