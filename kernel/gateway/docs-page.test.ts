import { equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { docsAssets } from "./docs-page.ts";

const assets = docsAssets({ title: "Shop & <Co>" });
const textOf = (path: string) => Buffer.from(assets[path]!.body() as Uint8Array).toString();

test("every file the page asks for is served beside it", () => {
  const asked = [...textOf("/docs").matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
  equal(asked.length, 6);
  for (const path of asked) ok(path === "/openapi.json" || path in assets, path);
});

test("the page names no other host, runs no inline script and may load nothing from elsewhere", () => {
  const page = textOf("/docs");
  ok(!/https?:|\/\//.test(page));
  ok(!/<script>|<style|onload=|style=/.test(page));
  const { csp } = assets["/docs"]!;
  match(csp!, /default-src 'none'/);
  ok(!/unsafe|https?:|\*/.test(csp!));
});

test("the reference reads the document of this server and asks nobody to validate it", () => {
  match(textOf("/docs/start.js"), /url: "\/openapi\.json"/);
  match(textOf("/docs/start.js"), /validatorUrl: null/);
});

test("the title is text, not markup", () => {
  match(textOf("/docs"), /<title>Shop &amp; &lt;Co&gt;<\/title>/);
});

test("the files of the package are whole", () => {
  match(textOf("/docs/swagger-ui-bundle.js"), /SwaggerUIBundle/);
  ok(assets["/docs/swagger-ui.css"]!.body().length > 50_000);
  equal(assets["/docs/favicon-32x32.png"]!.contentType, "image/png");
});
