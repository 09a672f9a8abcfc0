// What grows with the orders there are, and with the time under load.
//
//   npm run bench:growth [-- --sizes 10000,1000000,10000000 --minutes 10 --targets single --output FOLDER]
//
// Ten million orders take some 20 GB while they are measured, and a quarter of an hour to fill, once.

import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chosen, whole } from "./compare/arguments.ts";
import { describeMachine } from "./compare/machine.ts";
import { services } from "./compare/services.ts";
import { store } from "./compare/targets.ts";
import { endure, type Endured } from "./growth/endurance.ts";
import { enduranceTable, sizesTable } from "./growth/report.ts";
import { measureSizes } from "./growth/sizes.ts";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "10000,1000000" },
    targets: { type: "string", default: "single" },
    connections: { type: "string", default: "16" },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    minutes: { type: "string", default: "10" },
    share: { type: "string", default: "80" },
    orders: { type: "string", default: "1000000" },
    only: { type: "string", default: "sizes,minutes" },
    output: { type: "string" },
  },
});
const numberOf = (name: keyof typeof values) => whole(name, values[name] ?? "");
const targets = chosen([...store, ...services], values.targets.split(","));
const asked = chosen([{ name: "sizes" }, { name: "minutes" }], values.only.split(","));
const parts = new Set(asked.map(({ name }) => name));
const [serverCore, loadCore] = cpus().length > 1 ? [0, 1] : [0, 0];
const cores = { serverCore, loadCore };
const about = describeMachine(undefined, serverCore, loadCore);
console.error(about.join("\n"));

const pace = {
  connections: [numberOf("connections")],
  seconds: numberOf("seconds"),
  warmUpSeconds: numberOf("seconds"),
  rounds: numberOf("rounds"),
};
const sizes = values.sizes.split(",").map((text) => whole("sizes", text));
const costs = parts.has("sizes") ? await measureSizes(sizes, targets, pace, cores) : [];
const endured: Endured[] = [];
const enduring = {
  minutes: numberOf("minutes"),
  share: numberOf("share") / 100,
  orders: numberOf("orders"),
  connections: 64,
};
if (parts.has("minutes")) for (const target of targets) endured.push(await endure(target, enduring, cores));

const tables = [...(costs.length === 0 ? [] : [sizesTable(costs)]), ...endured.map(enduranceTable)];
const text = `${about.join("\n")}\n\n${tables.join("\n")}`;
console.log(text);
if (values.output !== undefined) {
  await mkdir(values.output, { recursive: true });
  await writeFile(join(values.output, "growth.md"), text);
  const results = { about, options: { ...pace, ...enduring, sizes }, costs, endured };
  await writeFile(join(values.output, "growth.json"), `${JSON.stringify(results, null, 2)}\n`);
}
process.exit(costs.some(({ refused }) => refused !== undefined) ? 1 : 0);
