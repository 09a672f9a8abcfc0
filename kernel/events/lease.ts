// A job that one process does at a time.
//
// A lease in a table rather than an advisory lock: a lock dies with its connection, and behind a pooler
// the connection is not ours. The price is that a crashed holder delays the job by at most `leaseMs`.
// A holder that was asleep for longer may work beside its successor for a moment, so what the
// job does must bear being done twice.

import type { Queryable } from "../data/index.ts";

export interface Lease {
  /** Takes the lease, or prolongs it; false while somebody else holds it. */
  hold(database: Queryable): Promise<boolean>;
  /** Gives the lease back, so that a successor need not wait. */
  release(database: Queryable): Promise<void>;
}

export function createLease({ name, holder, leaseMs }: { name: string; holder: string; leaseMs: number }): Lease {
  return {
    async hold(database) {
      const { rowCount } = await database.query(holdLease, [name, holder, leaseMs]);
      return rowCount === 1;
    },
    async release(database) {
      await database.query("delete from ashlar.leases where name = $1 and holder = $2", [name, holder]);
    },
  };
}

// clock_timestamp() and not now(): the statement may have waited for the row.
const holdLease = {
  name: "ashlar_lease_hold",
  text: `
    insert into ashlar.leases as held (name, holder, expires_at)
    values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
    on conflict (name) do update set holder = excluded.holder, expires_at = clock_timestamp() + $3 * interval '1 millisecond'
    where held.holder = excluded.holder or held.expires_at < clock_timestamp()`,
};
