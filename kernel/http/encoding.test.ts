import { equal } from "node:assert/strict";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { chooseEncoding, compress } from "./encoding.ts";

test("the coding is chosen by quality, brotli first among equals", () => {
  const cases: [string | undefined, string][] = [
    [undefined, "identity"],
    ["", "identity"],
    ["gzip, deflate, br", "br"],
    ["gzip, deflate", "gzip"],
    ["x-gzip", "gzip"],
    ["GZIP", "gzip"],
    ["gzip;q=1.0, br;q=0.5", "gzip"],
    ["br;q=0, gzip;q=0", "identity"],
    ["*", "br"],
    ["*, br;q=0", "gzip"],
    ["*;q=0", "identity"],
    ["identity, gzip;q=0.5", "identity"],
    ["deflate", "identity"],
    ["gzip; q = 0.5 ; x, ;;, =", "gzip"],
  ];
  for (const [header, expected] of cases) equal(chooseEncoding(header, 2_000), expected, String(header));
});

test("up to 1 KiB nothing is compressed, unless the client refuses plain bodies", () => {
  equal(chooseEncoding("br", 1024), "identity");
  equal(chooseEncoding("br", 1025), "br");
  equal(chooseEncoding("gzip, identity;q=0", 10), "gzip");
  equal(chooseEncoding("identity;q=0", 10), "identity");
});

test("what is compressed comes back the same", async () => {
  const text = JSON.stringify(Array.from({ length: 500 }, (_, index) => ({ index, name: "naïve 😀" })));
  equal(brotliDecompressSync(await compress(text, "br")).toString(), text);
  equal(gunzipSync(await compress(Buffer.from(text), "gzip")).toString(), text);
});
