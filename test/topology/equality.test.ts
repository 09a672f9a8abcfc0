// Nobody can tell from outside whether the store is one process or many.

import { test } from "node:test";
import { compare } from "./compare.ts";
import { openSide } from "./twin.ts";

const requestCount = 5_000;

test(`the store as one process and as many answers ${requestCount.toLocaleString("en")} random requests alike, and leaves the same rows and events`, async () => {
  await compare(await openSide("single"), await openSide("split"), requestCount, 20_261_124);
});
