import { equal, notEqual, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../base/index.ts";
import { createSeal } from "./sealed-body.ts";

const scope = Buffer.alloc(32, 1);
const answer = JSON.stringify({ key: "key_01h455vb4pex5vsknk084sn02q.secret", name: "Übergabe 😀" });

test("what was sealed opens under the same key and scope, and holds nothing readable", () => {
  const seal = createSeal("retry-1", scope, systemRandom);
  const sealed = seal.close(answer);
  equal(createSeal("retry-1", scope, systemRandom).open(sealed), answer);
  ok(!Buffer.from(sealed, "base64").includes("secret"));
  notEqual(seal.close(answer), sealed);
});

test("another key, another scope and a changed byte open nothing", () => {
  const sealed = createSeal("retry-1", scope, systemRandom).close(answer);
  throws(() => createSeal("retry-2", scope, systemRandom).open(sealed));
  throws(() => createSeal("retry-1", Buffer.alloc(32, 2), systemRandom).open(sealed));
  const bytes = Buffer.from(sealed, "base64");
  for (const place of [0, 12, 28, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[place]! ^= 1;
    throws(() => createSeal("retry-1", scope, systemRandom).open(changed.toString("base64")), String(place));
  }
});
