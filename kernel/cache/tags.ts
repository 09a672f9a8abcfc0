// What is known of invalidations: for each tag, when it was last invalidated.
//
// "When" is a position in the order of invalidations that this process learned of, and no time of any clock.
// Whoever reads the database to fill the cache takes the position first; a tag invalidated at a later position
// makes the filling worthless, whether it is on its way or stored already. So nothing has to be found and deleted.
//
// The number of tags is bounded. What is known of the longest untouched is forgotten in the careful direction:
// everything that was read before it counts as changed.

export interface Tags {
  /** The present position. Take it before the reading begins. */
  position(): number;
  /** Whether none of the tags was invalidated after the position. */
  isCurrent(tags: readonly string[], position: number): boolean;
  invalidate(tags: readonly string[]): void;
  invalidateAll(): void;
}

export const tagsMax = 100_000;

export function createTags(max = tagsMax): Tags {
  /** In the order of their last invalidation. */
  const changedAt = new Map<string, number>();
  let position = 0;
  /** Everything read before this counts as changed. */
  let floor = 0;

  return {
    position: () => position,
    isCurrent: (tags, since) => since >= floor && tags.every((tag) => (changedAt.get(tag) ?? 0) <= since),
    invalidate(tags) {
      position++;
      for (const tag of tags) {
        changedAt.delete(tag);
        changedAt.set(tag, position);
      }
      for (const [tag, at] of changedAt) {
        if (changedAt.size <= max) break;
        changedAt.delete(tag);
        floor = at;
      }
    },
    invalidateAll() {
      floor = ++position;
      changedAt.clear();
    },
  };
}
