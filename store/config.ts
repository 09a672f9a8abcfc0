// What the store reads of the environment beside what every app reads (`ashlar config` lists all of it).
// Nothing else in the store reads it.

import {
  limitSetting,
  portSetting,
  publicUrlSetting,
  readSettings,
  refuseInProduction,
  type Setting,
  textSetting,
} from "ashlar/runtime";

export const variables = {
  LIMIT_AUTH: limitSetting("20/60s", "logins, registrations and the like from one address, and for one account"),
  PUBLIC_URL: publicUrlSetting(
    "http://localhost:3000",
    "where the pages of the shop are; mails link to /verify-email#token=... and /reset-password#token=... there",
  ),
  DEMO_PASSWORD: demoPasswordSetting(),
};

/** Where the tour finds a store that was started in this environment, and how it logs in. */
export function readTourSettings(): { url: string; password: string } {
  const { DEMO_PASSWORD } = variables;
  const values = readSettings({ PORT: portSetting(3000, "the port of the store"), DEMO_PASSWORD }, process.env);
  return { url: `http://localhost:${values.PORT}`, password: values.DEMO_PASSWORD };
}

function demoPasswordSetting(): Setting<string> {
  const setting = textSetting("ashlar-demo", "the password that the demo users are made with");
  return {
    ...setting,
    read(text) {
      if ([...text].length > 128) throw new Error("must have 128 characters at most");
      return setting.read(text);
    },
    inProduction: refuseInProduction,
  };
}
