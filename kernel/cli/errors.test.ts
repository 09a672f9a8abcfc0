import { equal } from "node:assert/strict";
import { test } from "node:test";
import { Failure, errors } from "../contract/index.ts";
import { describeError } from "./errors.ts";

test("who runs a command is told the cause, and what to do where the disk is full", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  equal(
    describeError(full),
    "The disk is full: make room, or set ASHLAR_DATA to a folder on another disk (ENOSPC: no space left on device, write)",
  );
  equal(describeError(new Failure(errors.unavailable, "Not now", { cause: new Error("refused") })), "Not now: refused");
});
