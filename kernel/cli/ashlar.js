#!/usr/bin/env node
// The command `ashlar`. In JavaScript an old Node understands, because saying "too old" is its first job.

import module from "node:module";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  // A third of a start is reading and compiling the same files again. Not in the temporary folder, where others could put code;
  // where nothing can be written, it is done without.
  module.enableCompileCache(fileURLToPath(new URL("../../node_modules/.cache/ashlar", import.meta.url)));
  import("./main.ts").then(
    ({ main }) => main(process.argv.slice(2)),
    (error) => {
      process.stderr.write(`ashlar: ${process.env.LOG_LEVEL === "debug" ? error.stack : error.message}\n`);
      process.exitCode = 1;
    },
  );
} else {
  process.stderr.write(
    `ashlar: this is Node ${process.versions.node}, which cannot run TypeScript. ` +
      "The project brings its own Node: start through npm, with `npm start` or `npx ashlar <command>`.\n",
  );
  process.exitCode = 1;
}
