// Kills whatever the store needs while people buy, and counts what became of their orders.
//
//   npm run faults [-- --checkouts 2000 --rounds 3 --clients 16 --seed 1]
//   npm run faults -- --scenario nats-outage [--outage 180s]
//
// It needs nats-server and redis-server in the PATH, starts everything by itself on free ports of this machine, and
// leaves nothing behind. It ends with a table, and with 1 when anything was lost, doubled or left open.

import { parseArgs } from "node:util";
import { parseDuration } from "ashlar/base";
import { needsNats, needsRedis } from "ashlar/testing";
import { createProgress, outageTable, say, verdictLines } from "./report.ts";
import { run, type RunOptions } from "./run.ts";

const { values } = parseArgs({
  options: {
    scenario: { type: "string", default: "kills" },
    checkouts: { type: "string", default: "2000" },
    clients: { type: "string", default: "16" },
    rounds: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    absent: { type: "string", default: "500ms" },
    outage: { type: "string", default: "180s" },
  },
});

const whole = (name: "checkouts" | "clients" | "rounds" | "seed") => {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number from 1`);
  return number;
};
const duration = (name: "absent" | "outage") => {
  const ms = parseDuration(values[name]);
  if (ms === undefined) throw new Error(`--${name} must be a duration such as 500ms or 180s`);
  return ms;
};

const missing = [needsNats, needsRedis].flatMap(({ skip }) => skip ?? []);
if (missing.length > 0) throw new Error(`${missing.join(", and ")}. Install what is missing, and start this again.`);
const { scenario } = values;
if (scenario !== "kills" && scenario !== "nats-outage")
  throw new Error(`There is no scenario "${scenario}"; there are kills and nats-outage`);

const checkouts = whole("checkouts");
const options: RunOptions = {
  scenario,
  checkouts,
  clients: whole("clients"),
  rounds: whole("rounds"),
  seed: whole("seed"),
  absentMs: duration("absent"),
  outageMs: duration("outage"),
  onProgress: createProgress(checkouts),
};
say(`${checkouts} checkouts by ${options.clients} clients, seed ${options.seed}`);
const { outages, settledMs, verdicts } = await run(options);
say(`\n${outageTable(outages)}\n`);
say(`Settled ${(settledMs / 1_000).toFixed(1)} s after the last answer.\n`);
say(verdictLines(verdicts));
process.exitCode = verdicts.every(({ wrong }) => wrong.length === 0) ? 0 : 1;
