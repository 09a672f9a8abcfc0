// The reference at /docs: Swagger UI over /openapi.json, served from this process alone.
//
// Its files come from @fastify/swagger-ui, of which only the folder `static` is used: the same build as
// in swagger-ui-dist, without the install script that reports every installation to a third party.
// The page asks no other host for anything, and its policy would not let it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export interface DocsAsset {
  contentType: string;
  /** Read when it is first asked for. */
  body(): string | Uint8Array;
  /** Content-Security-Policy; assets without one run nothing and keep the default. */
  csp?: string;
}

const { resolve } = createRequire(import.meta.url);

/** Everything the page consists of, by path. */
export function docsAssets({ title }: { title: string }): Record<string, DocsAsset> {
  return {
    "/docs": { contentType: "text/html; charset=utf-8", body: () => page(title), csp: policy },
    "/docs/start.js": { contentType: "text/javascript; charset=utf-8", body: () => start },
    "/docs/page.css": { contentType: "text/css; charset=utf-8", body: () => style },
    "/docs/swagger-ui-bundle.js": packaged("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "/docs/swagger-ui.css": packaged("swagger-ui.css", "text/css; charset=utf-8"),
    "/docs/favicon-32x32.png": packaged("favicon-32x32.png", "image/png"),
  };
}

function packaged(file: string, contentType: string): DocsAsset {
  const path = resolve(`@fastify/swagger-ui/static/${file}`);
  let body: Uint8Array | undefined;
  return { contentType, body: () => (body ??= readFileSync(path)) };
}

// Swagger UI writes its icons as data: images and sets styles by script, which `style-src` does not restrict.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function page(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<main id="reference"></main>
<noscript>This page needs JavaScript. The document it shows is <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
}

// `validatorUrl: null` turns off a badge that would send the document's address to swagger.io.
const start = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
});
`;

// Every refusal has the same dozen headers; the page shows them where they differ, at the successes.
const style = `body { margin: 0; }
.swagger-ui tr.response:not([data-code^="2"]) .headers-wrapper { display: none; }
.swagger-ui .wrapper { max-width: 1200px; }
.swagger-ui .info { margin: 24px 0; }
.swagger-ui .info .description table { display: block; max-height: 320px; overflow: auto; }
`;

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
