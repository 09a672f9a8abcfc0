import { deepEqual, equal } from "node:assert/strict";
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
