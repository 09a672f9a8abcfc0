import { deepEqual, equal, match } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mock, test } from "node:test";
import { createManualClock, silentLogger } from "../base/index.ts";
import { waitForEnd } from "./life.ts";

const exit = mock.method(process, "exit", () => {});
const exitCodes = () => exit.mock.calls.map(({ arguments: [code] }) => code);
const signal = (name: "SIGINT" | "SIGTERM") => process.emit(name, name);

test("a signal asks for the end once; asked again a second later, or too slow, the process ends as it is", async () => {
  const clock = createManualClock();
  const end = waitForEnd(clock, silentLogger);
  equal(end.asked(), false);

  signal("SIGINT");
  await end.wait();
  equal(end.asked(), true);
  signal("SIGINT");
  await clock.advance(999);
  signal("SIGINT");
  deepEqual(exitCodes(), [], "npm and the terminal deliver one Ctrl-C several times");

  await clock.advance(1);
  signal("SIGTERM");
  deepEqual(exitCodes(), [130]);
  await clock.advance(8_499);
  deepEqual(exitCodes(), [130]);
  await clock.advance(1);
  deepEqual(exitCodes(), [130, 1], "9.5 s after it was asked");
});

test("S04 what a timer, a promise or a listener throws is logged with its stack, and the process goes on", async () => {
  // In a process of its own: the runner of these tests ends at what nobody caught.
  const program = `
    import { EventEmitter } from "node:events";
    const { liveThroughErrors } = await import(${JSON.stringify(new URL("./life.ts", import.meta.url).href)});
    const say = (level) => ({ err }, msg) => console.log(JSON.stringify({ level, reason: err.message, stack: err.stack, msg }));
    let caught = 0;
    const alive = () => console.log(JSON.stringify({ level: "info", reason: "alive" }));
    const error = (fields, msg) => (say("error")(fields, msg), ++caught === 3 && setTimeout(alive));
    liveThroughErrors({ error });
    setTimeout(() => { throw new Error("in a timer"); }, 1);
    setImmediate(() => void Promise.reject(new Error("in a promise")));
    process.nextTick(() => new EventEmitter().emit("error", new Error("in a listener")));
  `;
  const { code, lines } = await new Promise<{ code: number; lines: Record<string, string>[] }>((resolve) => {
    execFile(process.execPath, ["--input-type=module", "--eval", program], (error, stdout) =>
      resolve({
        code: error === null ? 0 : Number(error.code),
        lines: stdout
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, string>),
      }),
    );
  });
  equal(code, 0);
  deepEqual(lines.at(-1), { level: "info", reason: "alive" });
  const errors = lines.slice(0, -1);
  deepEqual(errors.map(({ reason }) => reason).toSorted(), ["in a listener", "in a promise", "in a timer"]);
  for (const { stack, msg } of errors) match(`${stack} ${msg}`, / at [^]*the process goes on/);
});
