import { deepEqual, equal, match } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import manifest from "../package.json" with { type: "json" };

const command = fileURLToPath(new URL("./ashlar.js", import.meta.url));
const nowhere = await mkdtemp(join(tmpdir(), "ashlar-cli-"));
after(() => rm(nowhere, { recursive: true, force: true }));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `ashlar` in a folder without an app. */
function ashlar(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], { cwd: nowhere }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test("help and version go to stdout and are no failure", async () => {
  const help = await ashlar("--help");
  equal(help.code, 0);
  match(help.stdout, /start .*\n.*dev .*\n.*migrate/);
  match(help.stdout, /Exit codes:/);
  deepEqual(await ashlar("--version"), { code: 0, stdout: `${manifest.version}\n`, stderr: "" });
});

test("a command line that is wrong ends with 2 and says what was meant, on stderr", async () => {
  const wrong: [args: string[], said: RegExp][] = [
    [[], /Usage: ashlar/],
    [["strat"], /^ashlar: unknown command 'strat'\n\(Did you mean start\?\)/],
    [["events", "lits"], /unknown command 'lits'\n\(Did you mean list\?\)/],
    [["start", "--prot"], /^ashlar: unknown option '--prot'/],
    [["start", "now"], /too many arguments for 'start'/],
    [["events", "list", "--limit", "0"], /It must be a number from 1 to 10000/],
    [["mail", "--limit", "many"], /It must be a number from 1 to 10000/],
    [["events", "drop"], /missing required argument 'id'/],
    [["events", "replay", "evt_1"], /It must be the id of an event/],
    [["events", "replay"], /say which: the id of one dead letter, or --all/],
  ];
  const ended = await Promise.all(wrong.map(([args]) => ashlar(...args)));
  for (const [index, { code, stdout, stderr }] of ended.entries()) {
    match(stderr, wrong[index]![1]);
    deepEqual([code, stdout], [2, ""], wrong[index]![0].join(" "));
  }
});

test("a command that cannot be done ends with 1 and one line", async () => {
  const { code, stdout, stderr } = await ashlar("config");
  deepEqual([code, stdout], [1, ""]);
  match(stderr, /^ashlar: There is no Ashlar app in [^\n]*\n$/);
});

test("without a terminal a start that fails says so in one JSON line on stdout", async () => {
  const { code, stdout, stderr } = await ashlar("start");
  deepEqual([code, stderr], [1, ""]);
  const { level, msg, reason } = JSON.parse(stdout) as Record<string, string>;
  deepEqual([level, msg], ["error", "The start failed"]);
  match(reason!, /There is no Ashlar app/);
});
