// The source files of the house as text, by path from its root.

import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export function readTree(): Map<string, string> {
  const files = globSync("{kernel,store,examples}/**/*.{ts,tsx,js,mjs}", {
    cwd: root,
    exclude: ["**/node_modules/**", "**/.ashlar/**"],
  });
  return new Map(files.toSorted().map((file) => [file, readFileSync(root + file, "utf8")]));
}
