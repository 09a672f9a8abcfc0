// What is installed with the store: from where, with which guarantees, and what may run while it is.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import manifest from "../../package.json" with { type: "json" };
import lock from "../../package-lock.json" with { type: "json" };
import { root } from "../boundaries/tree.ts";

interface Locked {
  version: string;
  /** Absent for a package of the registry that npm is set to. */
  resolved?: string;
  integrity?: string;
  license?: string;
  link?: boolean;
  dev?: boolean;
  hasInstallScript?: boolean;
}

const packages = (Object.entries(lock.packages) as [string, Locked][])
  .filter(([path, { link }]) => path.includes("node_modules/") && link !== true)
  .map(([path, locked]) => ({ name: path.slice(path.lastIndexOf("node_modules/") + 13), ...locked }));
const inProduction = packages.filter(({ dev }) => dev !== true);
const names = (some: readonly { name: string }[]) => some.map(({ name }) => name);

test("S07 every package is locked to a version and to the SHA-512 of its content, from a registry over https", () => {
  assert.ok(packages.length > 200);
  for (const { name, version, integrity, resolved } of packages) {
    assert.match(version, /^\d+\.\d+\.\d+/, name);
    assert.match(integrity ?? "none", /^sha512-[A-Za-z0-9+/]{86}==$/, name);
    assert.match(resolved ?? "https://", /^https:\/\//, name);
  }
});

test("S07 nothing runs while packages are installed but what package.json allows by name", () => {
  const scripts = names(packages.filter(({ hasInstallScript }) => hasInstallScript));
  assert.deepEqual(scripts.toSorted(), Object.keys(manifest.allowScripts).toSorted());
});

test("S09 packages that let strangers in this year are not there", () => {
  const broken = new Set(["http-proxy", "@fastify/http-proxy", "@fastify/express", "hono", "fast-jwt", "jsonwebtoken"]);
  assert.deepEqual(
    names(packages).filter((name) => broken.has(name)),
    [],
  );
});

test("S13 what runs in production is under a licence that asks for no more than its text", () => {
  const fine = new Set(["MIT", "MIT-0", "ISC", "BSD-3-Clause", "BlueOak-1.0.0", "Apache-2.0", "Unlicense"]);
  assert.deepEqual(
    inProduction.filter(({ license }) => !fine.has(license ?? "none")),
    [],
  );
  assert.ok(inProduction.length < 120, `${inProduction.length} packages: is each of them needed?`);
});

test("S08 npm run sbom writes a CycloneDX document of what runs in production, with a hash for each package", async () => {
  const { stdout } = await promisify(execFile)("npm", ["run", "--silent", "sbom"], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  const bom = JSON.parse(stdout) as {
    bomFormat: string;
    specVersion: string;
    components: { name: string; version: string; hashes?: { alg: string }[] }[];
  };
  assert.deepEqual([bom.bomFormat, Number(bom.specVersion) >= 1.5], ["CycloneDX", true]);
  const listed = names(bom.components);
  for (const name of ["pg", "jose", "@node-rs/argon2", "pino"]) assert.ok(listed.includes(name), name);
  // By version: one of a name may run in production and another in development only.
  const exact = ({ name, version }: { name: string; version: string }) => `${name}@${version}`;
  const shipped = new Set(bom.components.map(exact));
  const needed = new Set(inProduction.map(exact));
  for (const one of packages.filter(({ dev }) => dev).map(exact)) assert.ok(!shipped.has(one) || needed.has(one), one);
  const ours = new Set(["ashlar", ...manifest.workspaces.map((path) => path.slice(path.lastIndexOf("/") + 1))]);
  for (const { name, hashes } of bom.components) if (!ours.has(name)) assert.equal(hashes?.[0]?.alg, "SHA-512", name);
});
