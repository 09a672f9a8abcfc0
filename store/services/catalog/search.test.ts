import assert from "node:assert/strict";
import { test } from "node:test";
import { openShop } from "../orders/fixture.ts";

const shop = await openShop();
const found = async (q: string) =>
  (await shop.request("GET", `/v1/products?q=${encodeURIComponent(q)}`)).json.data.map(
    ({ sku }: { sku: string }) => sku,
  );

test("a product is found by its name and description as they are now, in any case and any letters", async () => {
  const product = await shop.product();
  const change = (body: object) =>
    shop.request("PATCH", `/v1/products/${product.id}`, {
      authorization: shop.admin,
      headers: { "if-match": "*" },
      body,
    });
  // U+212A, the sign of the Kelvin, is a k in lower case.
  assert.equal(
    (await change({ name: "\u212Aaffeem\u00fchle", description: "aus \u041c\u043e\u0441\u043a\u0432\u0430" })).status,
    200,
  );
  for (const q of ["kaffee", "AFFEEM\u00dcH", "\u043c\u043e\u0441\u043a", "\u00fc", "aus "])
    assert.deepEqual(await found(q), [product.sku], q);
  for (const q of ["A thing", "hleaus", "hle aus"]) assert.deepEqual(await found(q), [], q);

  assert.equal((await change({ name: "Teekanne" })).status, 200);
  assert.deepEqual(await found("kaffee"), []);
  assert.deepEqual(await found("kann"), [product.sku]);

  await shop.request("DELETE", `/v1/products/${product.id}`, {
    authorization: shop.admin,
    headers: { "if-match": "*" },
  });
  assert.deepEqual(await found("kann"), []);
});
