// The store as an app: `ashlar start` finds it through package.json.

import type { App } from "ashlar/runtime";
import { readStoreSettings, variables } from "./config.ts";
import { createDemo } from "./demo.ts";
import manifest from "./package.json" with { type: "json" };
import { apiKeys, contracts, services } from "./services.ts";

const store: App = {
  definition: { name: "store", title: "Ashlar store", version: manifest.version, contracts, services, apiKeys },
  variables,
  readSettings(environment) {
    const { production, demoPassword, ...settings } = readStoreSettings(environment);
    return { ...settings, demo: production ? undefined : createDemo(demoPassword) };
  },
};

export default store;
