// Draws the results of a run again, from the JSON that it wrote.
//
//   npm run bench:chart -- results.json docs/bench.svg

import { readFile, writeFile } from "node:fs/promises";
import { chart } from "./compare/chart.ts";
import type { Results } from "./compare/report.ts";

const [, , from, to] = process.argv;
if (from === undefined || to === undefined) throw new Error("npm run bench:chart -- RESULTS.json FILE.svg");
await writeFile(to, chart(JSON.parse(await readFile(from, "utf8")) as Results));
