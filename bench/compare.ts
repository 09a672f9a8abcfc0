// `npm run bench`: this project beside what people write by hand, in one run.
//
// What it starts, sends and counts is told in bench/README.md; the options by `npm run bench -- --help`.

import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chosen, readArguments, usage } from "./compare/arguments.ts";
import { openCluster } from "./compare/cluster.ts";
import { sizes } from "./compare/data.ts";
import { describeMachine } from "./compare/machine.ts";
import { type Measured, measureWork } from "./compare/measure.ts";
import { markdown, startsTable } from "./compare/report.ts";
import { measureStarts, type Started } from "./compare/starts.ts";
import { gateways } from "./compare/gateways.ts";
import { pgbench } from "./compare/pgbench.ts";
import { exists } from "./compare/processes.ts";
import { services } from "./compare/services.ts";
import { store } from "./compare/targets.ts";
import { works } from "./compare/works.ts";

const words = process.argv.slice(2);
if (words.includes("--help")) {
  console.log(usage);
  process.exit(0);
}
const options = readArguments(words);
const size = sizes[options.size]!;
const [serverCore, loadCore] = cpus().length > 1 ? [0, 1] : [0, 0];
const folder = fileURLToPath(new URL(`../.ashlar/bench-${options.size}/`, import.meta.url));

const profile = options.profile && resolve(options.profile);

const targets = [...store, ...services, pgbench, ...gateways];
const starts = { name: "W8", about: "from the start to the first answer, and idle memory without PostgreSQL" };
const asked = chosen([...works, starts], options.works);
const chosenWorks = works.filter((work) => asked.includes(work));
const chosenTargets = chosen(targets, options.targets).filter(({ name, needs }) => {
  if (needs === undefined || exists(needs)) return true;
  console.error(`${name} is left out: ${needs} is not installed`);
  return false;
});
const cluster = await openCluster(folder, size, loadCore);
const measured: Measured[] = [];
let started: Started[] = [];
try {
  const about = describeMachine(cluster.version, serverCore, loadCore);
  console.error(about.join("\n"));
  const setting = { cluster, size, serverCore, loadCore, profile };
  for (const work of chosenWorks) {
    const able = chosenTargets.filter((target) => target.works.includes(work.name));
    measured.push(...(await measureWork(work, able, options, setting)));
  }
  if (asked.includes(starts))
    started = await measureStarts(
      chosenTargets.filter((target) => target.works.includes("W8")),
      options,
      setting,
    );
  const rounds = `${options.rounds} rounds of ${options.seconds} s in turns, the median of each figure; ${size.users.toLocaleString("en")} users, ${size.products.toLocaleString("en")} products, ${size.orders.toLocaleString("en")} orders.`;
  const text = `${[...about, rounds].join("\n")}\n\n${markdown(measured, chosenWorks, chosenTargets)}${started.length === 0 ? "" : `\n${startsTable(starts, started)}`}`;
  console.log(text);
  if (options.output !== undefined) {
    await mkdir(options.output, { recursive: true });
    await writeFile(join(options.output, "results.md"), text);
    await writeFile(
      join(options.output, "results.json"),
      `${JSON.stringify({ about, options, size, measured, started }, null, 2)}\n`,
    );
  }
} finally {
  await cluster.stop();
}
process.exit([...measured, ...started].some(({ refused }) => refused !== undefined) ? 1 : 0);
