// How the store may be spread over processes. Without a word it is one.

import type { Topology } from "ashlar/runtime";

/** Every service by itself, behind a gateway. */
const split: Topology = {
  gateway: { services: [], gateway: true, port: 3000 },
  identity: { services: ["identity"], port: 3001 },
  catalog: { services: ["catalog"], port: 3002 },
  orders: { services: ["orders"], port: 3003 },
};

export const topologies = { split };
