// How the store may be spread over processes. Without a word it is one.

import type { Beside, Topology } from "ashlar/runtime";

/** Every service by itself, behind a gateway. */
const split: Topology = {
  gateway: { services: [], gateway: true, port: 3000 },
  identity: { services: ["identity"], port: 3001 },
  catalog: { services: ["catalog"], port: 3002 },
  orders: { services: ["orders"], port: 3003 },
};

/** Accounts where clients come in, and the shop by itself: two processes that need no server but PostgreSQL. */
const pair: Topology = {
  front: { services: ["identity"], gateway: true, port: 3000 },
  shop: { services: ["catalog", "orders"], port: 3001 },
};

export const topologies = { split, pair };

/** Where nothing is said, as for `split`: NATS and Redis where they are configured or installed. */
export const beside: Readonly<Record<string, Beside>> = { pair: { bus: "postgres", cache: "memory" } };
