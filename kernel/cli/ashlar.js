#!/usr/bin/env node
// The command `ashlar`. In JavaScript an old Node understands, because saying "too old" is its first job.

const [major, minor] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
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
