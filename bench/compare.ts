// `npm run bench`: this project beside what people write by hand, in one run.
//
// What it starts, sends and counts is told in bench/README.md; the options by `npm run bench -- --help`.

import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { chosen, readArguments, usage } from "./compare/arguments.ts";
import { clusterFolder, openCluster } from "./compare/cluster.ts";
import { sizes } from "./compare/data.ts";
import { describeMachine } from "./compare/machine.ts";
import { chart } from "./compare/chart.ts";
import { events, measureEvents } from "./compare/event-lag.ts";
import { type Measured, measureWork } from "./compare/measure.ts";
import { markdown, type Results } from "./compare/report.ts";
import { measureStarts, starts } from "./compare/starts.ts";
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

const profile = options.profile && resolve(options.profile);

const targets = [...store, ...services, pgbench, ...gateways];
const asked = chosen([...works, events, starts], options.works);
const chosenWorks = works.filter((work) => asked.includes(work));
const chosenTargets = chosen(targets, options.targets).filter(({ name, needs }) => {
  if (needs === undefined || exists(needs)) return true;
  console.error(`${name} is left out: ${needs} is not installed`);
  return false;
});
const doing = (work: string) => chosenTargets.filter((target) => target.works.includes(work));
const cluster = await openCluster(clusterFolder(options.size), size, loadCore);
let results: Results;
try {
  const about = describeMachine(cluster.version, serverCore, loadCore);
  console.error(about.join("\n"));
  const setting = { cluster, size, serverCore, loadCore, profile };
  const measured: Measured[] = [];
  for (const work of chosenWorks) measured.push(...(await measureWork(work, doing(work.name), options, setting)));
  results = {
    about,
    options,
    size,
    targets: chosenTargets.map(({ name, about }) => ({ name, about })),
    works: asked.map(({ name, about }) => ({ name, about })),
    measured,
    events: asked.includes(events) ? await measureEvents(doing("W7"), options, setting) : [],
    started: asked.includes(starts) ? await measureStarts(doing("W8"), options, setting) : [],
  };
} finally {
  await cluster.stop();
}
const text = markdown(results);
console.log(text);
if (options.output !== undefined) {
  await mkdir(options.output, { recursive: true });
  await writeFile(join(options.output, "results.md"), text);
  await writeFile(join(options.output, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
}
if (options.chart !== undefined) await writeFile(options.chart, chart(results));
const all = [...results.measured, ...results.events, ...results.started];
process.exit(all.some(({ refused }) => refused !== undefined) ? 1 : 0);
