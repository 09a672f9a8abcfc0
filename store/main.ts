// The store as an app: `ashlar start` finds it through package.json.

import { createApp } from "ashlar/runtime";
import { variables } from "./config.ts";
import { createDemo } from "./demo.ts";
import manifest from "./package.json" with { type: "json" };
import { apiKeys, endedTokens, services } from "./services.ts";
import { beside, topologies } from "./topology.ts";

export default createApp({
  name: "store",
  title: "Ashlar store",
  version: manifest.version,
  services,
  apiKeys,
  endedTokens,
  topologies,
  beside,
  variables,
  demo: ({ DEMO_PASSWORD }) => createDemo(DEMO_PASSWORD),
});
