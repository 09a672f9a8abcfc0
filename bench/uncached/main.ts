// The store whose contracts say nothing of a cache: every read goes to the database, as W1 asks for.
//
// Ids beyond number would miss a cache as well, but would measure what it costs to fill one that nobody reads. And a
// setting would be one more that an app can be started with by mistake.

import { createApp } from "ashlar/runtime";
import { variables } from "../../store/config.ts";
import manifest from "../../store/package.json" with { type: "json" };
import { apiKeys, endedTokens, services } from "../../store/services.ts";
import { topologies } from "../../store/topology.ts";
import { withoutCache } from "./without-cache.ts";

export default createApp({
  name: "store",
  title: "Ashlar store, uncached",
  version: manifest.version,
  services: (platform) => services(platform).map(withoutCache),
  apiKeys,
  endedTokens,
  topologies,
  variables,
});
