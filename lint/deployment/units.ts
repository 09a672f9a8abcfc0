// The units of systemd: by `systemd-analyze`, where there is one, and by our own rules.

import { spawnSync } from "node:child_process";
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "../finding.ts";
import { commandOf, createReport, databasesOf, processes, settingMistakes } from "./known.ts";

const nodeOfUnits = "/opt/ashlar/node_modules/node/bin/node";
/** Of ten; above two `systemd-analyze security` no longer calls it OK. */
const exposureMax = 2;

export function checkUnits(folder: string): Finding[] {
  return [...checkFiles(folder), ...analyze(folder)];
}

function checkFiles(folder: string): Finding[] {
  const { findings, require } = createReport(folder);
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const template = read("ashlar@.service");
  const command = commandOf("%i").join(" ");
  require(template.includes(
    `ExecStart=${nodeOfUnits} kernel/cli/ashlar.js ${command}\n`,
  ), "ashlar@.service", `it does not ${command}`);
  for (const process of processes)
    require(read("ashlar.target").includes(
      `ashlar@${process}.service`,
    ), "ashlar.target", `it does not want ${process}`);
  const common = variablesIn(read("ashlar.env"));
  const names = globSync("*.env", { cwd: folder }).filter((name) => name !== "ashlar.env");
  require(names.toSorted().join() ===
    [...processes, "migrate"]
      .map((name) => `${name}.env`)
      .toSorted()
      .join(), "", `there are ${names.join()}`);
  for (const name of names) {
    const own = variablesIn(read(name));
    for (const [variable, value] of Object.entries({ ...own, ...common }))
      require(!/:\/\/[^/@]*:(?!\.\.\.@)[^/@]+@/.test(value), name, `a password is written down in ${variable}`);
    const process = name.slice(0, -".env".length);
    const databases = Object.keys(own).filter((variable) => variable.endsWith("_DATABASE_URL"));
    const expected = processes.includes(process) ? databasesOf(process) : processes.flatMap(databasesOf);
    require(databases.join() === expected.join(), name, `its databases are ${databases.join()}`);
    for (const mistake of settingMistakes(withPasswords({ ...common, ...own }))) require(false, name, mistake);
  }
  return findings;
}

/** Those that are set, and those that are proposed. */
function variablesIn(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]));
}

function withPasswords(variables: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replace(":...@", ":b8Kq0v-Tz41xWm7c@")]),
  );
}

function analyze(folder: string): Finding[] {
  if (spawnSync("systemd-analyze", ["--version"]).error !== undefined) return [];
  const copy = mkdtempSync(join(tmpdir(), "ashlar-units-"));
  try {
    for (const name of globSync("*.{service,target}", { cwd: folder })) {
      copyFileSync(join(folder, name), join(copy, name));
      // It wants programs that are there.
      writeFileSync(join(copy, name), readFileSync(join(copy, name), "utf8").replaceAll(nodeOfUnits, process.execPath));
    }
    const units = processes.map((name) => `ashlar@${name}.service`);
    for (const unit of units) copyFileSync(join(copy, "ashlar@.service"), join(copy, unit));
    const services = [...units, "ashlar-migrate.service"];
    const threshold = `--threshold=${exposureMax * 10}`;
    return [
      ...run(folder, copy, ["verify", "--man=no", ...[...services, "ashlar.target"].map((unit) => `./${unit}`)]),
      ...services.flatMap((unit) => run(folder, copy, ["security", "--offline=true", threshold, `./${unit}`])),
    ];
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function run(document: string, cwd: string, args: string[]): Finding[] {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", args, { cwd, encoding: "utf8" });
  const said = stderr.trim() === "" ? stdout.trim().split("\n").at(-1)! : stderr.trim();
  const isFine = status === 0 && (args[0] !== "verify" || stderr.trim() === "");
  return isFine ? [] : [{ document, place: args.at(-1)!, rule: "systemd-analyze", message: said }];
}
