import { deepEqual, equal } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { depsFile, listEdges } from "./boundaries/deps.ts";
import { readFacts } from "./boundaries/facts.ts";
import { findViolations } from "./boundaries/rules.ts";
import { readTree } from "./boundaries/tree.ts";

/** What the rules say about a house that consists of these files. */
function verdicts(files: Record<string, string>): string[] {
  return findViolations(new Map(Object.entries(files))).map(({ file, line, message }) => `${file}:${line} ${message}`);
}

function refused(file: string, source: string, expected: RegExp, others: Record<string, string> = {}): void {
  const found = verdicts({ ...others, [file]: source });
  equal(
    found.filter((verdict) => expected.test(verdict)).length,
    1,
    `expected ${expected} for ${source}, found ${found.join("; ") || "nothing"}`,
  );
}

function allowed(file: string, source: string, others: Record<string, string> = {}): void {
  deepEqual(verdicts({ ...others, [file]: source }), []);
}

test("the house keeps its boundaries", () => {
  const tree = readTree();
  equal(tree.size > 0, true, "no source files were found");
  deepEqual(
    findViolations(tree).map(({ file, line, message }) => `${file}:${line} ${message}`),
    [],
  );
});

test("deps.txt lists exactly the edges there are", () => {
  const listed = existsSync(depsFile) ? readFileSync(depsFile, "utf8") : "";
  equal(
    listed,
    listEdges(readTree()).join("\n") + "\n",
    "Look at each changed edge, then run: node test/boundaries/deps.ts --write",
  );
});

test("a kernel folder imports lower floors and nothing above or beside it", () => {
  allowed("kernel/service/a.ts", `import { x } from "../data/index.ts"; export * from "../events/index.ts";`);
  refused("kernel/data/a.ts", `import { x } from "../service/index.ts";`, /imports upward: kernel\/data \(floor 2\)/);
  refused(
    "kernel/data/a.ts",
    `import { x } from "../http/index.ts";`,
    /imports sideways: kernel\/data .* kernel\/http/,
  );
  refused("kernel/data/a.ts", `import { x } from "ashlar/service";`, /imports upward/);
  refused("kernel/data/a.ts", `import { x } from "../extras/index.ts";`, /imports upward.*floor unknown/);
  allowed("kernel/cli/a.ts", `import manifest from "../package.json" with { type: "json" };`);
  refused("kernel/extras/a.ts", `import { x } from "../base/index.ts";`, /has no floor/);
});

test("every form of import counts, in a type as much as in a value", () => {
  for (const form of [
    `import "../service/index.ts";`,
    `import type { X } from "../service/index.ts";`,
    `import {\n  type X,\n} from '../service/index.ts';`,
    `export { x } from "../service/index.ts";`,
    `export type * from "../service/index.ts";`,
    `const x = await import("../service/index.ts");`,
    "const x = await import(`../service/index.ts`);",
    `type X = import("../service/index.ts").X;`,
    `const x = 1 as import("../service/index.ts").X;`,
    `const x = require("../service/index.ts");`,
    `const x = import.meta.resolve("../service/index.ts");`,
    `const x = createRequire(import.meta.url); const ownRequire = x; ownRequire.resolve("../service/index.ts");`,
  ]) {
    refused("kernel/data/a.ts", form, /imports upward/);
  }
});

test("what only looks like an import is none", () => {
  for (const text of [
    `// import { x } from "../service/index.ts";`,
    `/* export * from "../service/index.ts" */`,
    `const text = 'import { x } from "../service/index.ts"';`,
    "const text = `${1} import('../service/index.ts')`;",
    `const pattern = /import "..\\/service\\/index.ts"/;`,
    `const url = new URL("../service/index.ts", import.meta.url);`,
    `await Promise.resolve("../service/index.ts");`,
  ]) {
    allowed("kernel/data/a.ts", text);
  }
});

test("a kernel folder is entered through its index.ts, from inside it is not", () => {
  allowed("kernel/service/a.ts", `import { x } from "./b.ts"; import { y } from "./steps/c.ts";`);
  allowed("kernel/service/steps/c.ts", `import { x } from "../b.ts";`);
  refused("kernel/service/a.ts", `import { x } from "../data/pool.ts";`, /past its door: use kernel\/data\/index.ts/);
  refused("kernel/service/a.ts", `import { x } from "ashlar/data/pool.ts";`, /past its door/);
});

test("the kernel does not know the store, not even in a test", () => {
  refused("kernel/runtime/a.ts", `import { x } from "../../store/services.ts";`, /knows nothing outside itself/);
  refused("kernel/runtime/a.ts", `import { x } from "store/services.ts";`, /knows nothing outside itself/);
  refused("kernel/runtime/a.test.ts", `import { x } from "../../store/services.ts";`, /knows nothing outside itself/);
  refused("kernel/runtime/a.ts", `import { x } from "../../test/x.ts";`, /knows nothing outside itself/);
  allowed("kernel/data/a.test.ts", `import { x } from "../testing/index.ts"; import { y } from "../http/server.ts";`);
});

test("the store uses the kernel by ashlar/<folder>", () => {
  allowed("store/services/orders/service.ts", `import { x } from "ashlar/service";`);
  refused(
    "store/services/orders/service.ts",
    `import { x } from "../../../kernel/service/index.ts";`,
    /as ashlar\/<folder>/,
  );
  refused("store/services/orders/service.ts", `import { x } from "ashlar/service/pipeline.ts";`, /as ashlar\/<folder>/);
  refused("store/main.ts", `import { x } from "ashlar";`, /as ashlar\/<folder>/);
});

test("a service knows only the contract of another", () => {
  allowed(
    "store/services/orders/orders.ts",
    `import { x } from "../catalog/contract.ts"; import { y } from "./pricing.ts";`,
  );
  refused(
    "store/services/orders/orders.ts",
    `import { x } from "../catalog/products.ts";`,
    /only contract.ts of another/,
  );
  refused(
    "store/services/orders/orders.ts",
    `import type { X } from "../catalog/contract-types.ts";`,
    /only contract.ts of another/,
  );
  refused(
    "store/services/orders/orders.ts",
    `import { x } from "store/services/catalog/service.ts";`,
    /only contract.ts of another/,
  );
  allowed("store/services.ts", `import { x } from "./services/catalog/service.ts";`);
});

test("a contract imports contracts, not implementations", () => {
  const contract = "store/services/orders/contract.ts";
  allowed(
    contract,
    `import "ashlar/base"; import "ashlar/contract"; import "../catalog/contract.ts"; import "./contract-orders.ts"; import "../../api.ts";`,
    {
      "store/api.ts": `import "ashlar/contract";`,
      "store/services/catalog/contract.ts": "",
      "store/services/orders/contract-orders.ts": "",
    },
  );
  refused(contract, `import { x } from "./orders.ts";`, /orders\/contract.ts:1 .*never an implementation/);
  refused(contract, `import { x } from "ashlar/service";`, /orders\/contract.ts:1 .*never an implementation/);
  refused(contract, `import { x } from "pg";`, /orders\/contract.ts:1 .*never a package/);
  refused(contract, `import { x } from "node:fs";`, /orders\/contract.ts:1 .*never a package/);
  refused("store/services/orders/contract-lines.ts", `import { x } from "./orders.ts";`, /never an implementation/);
  refused(contract, `import { x } from "../../api.ts";`, /store\/api.ts:1 .*never an implementation/, {
    "store/api.ts": `import "ashlar/data";`,
  });
});

test("an example consists of the kernel and itself", () => {
  allowed(
    "examples/library/services/loans/service.ts",
    `import { x } from "ashlar/service"; import { y } from "../books/contract.ts"; import { z } from "./contract.ts";`,
  );
  allowed("examples/library/main.ts", `import { x } from "./services/loans/service.ts";`);
  allowed("examples/library/loans.test.ts", `import { test } from "node:test"; import app from "./main.ts";`);
  const example = "examples/library/services/loans/service.ts";
  refused(example, `import { x } from "../books/service.ts";`, /only contract.ts of another/);
  refused(example, `import { x } from "../../../../kernel/service/index.ts";`, /as ashlar\/<folder>/);
  refused(example, `import { x } from "../../../notes/main.ts";`, /consists of examples\/library and the kernel/);
  refused(example, `import { x } from "../../../../store/api.ts";`, /consists of examples\/library and the kernel/);
  refused(example, `import { x } from "../../../../test/x.ts";`, /consists of examples\/library and the kernel/);
  refused(example, `import { x } from "node:fs";`, /an example imports ashlar\/<folder> and its own files/);
  refused("examples/library/loans.test.ts", `import { x } from "pg";`, /an example imports ashlar/);
  refused("examples/library/services/loans/contract.ts", `import { x } from "ashlar/data";`, /never an implementation/);
  refused(example, `const port = process.env.PORT;`, /reads process.env/);
  refused("store/main.ts", `import { x } from "../examples/notes/main.ts";`, /consists of store and the kernel/);
  refused("kernel/data/a.test.ts", `import { x } from "../../examples/notes/main.ts";`, /knows nothing outside itself/);
});

test("only config.ts, cli, testing and tests read the environment", () => {
  for (const file of [
    "store/config.ts",
    "kernel/cli/start.ts",
    "kernel/testing/postgres.ts",
    "kernel/data/a.test.ts",
  ]) {
    allowed(file, `export const port = process.env["PORT"];`);
  }
  for (const form of [
    `const port = process.env.PORT;`,
    `const port = process.env[name];`,
    `const port = process["env"].PORT;`,
    `const port = globalThis.process?.env.PORT;`,
    `const port = (process as any).env.PORT;`,
    `const { env } = process;`,
    `const { env: { PORT } } = process;`,
    `import { env } from "node:process"; start(env);`,
    `import process from "process"; start(process.env);`,
    `import * as me from "node:process"; start({ ...me.env });`,
  ]) {
    refused("store/services/orders/orders.ts", form, /reads process.env/);
  }
  allowed(
    "store/main.ts",
    `// process.env\nconst text = "process.env"; process.exit(0); const { env } = options; start(settings.process.env);`,
  );
});

test("time and chance come as arguments everywhere but in base", () => {
  const forms = [
    `Date.now();`,
    `const now = new Date();`,
    `const now = new Date;`,
    `const now = Date();`,
    `const options = { nowMs: Date.now };`,
    `const { now } = Date;`,
    `Math.random();`,
    `setTimeout(() => {}, 10);`,
    `globalThis.setTimeout(run, 10);`,
    `setInterval(run, 10);`,
    `setImmediate(run);`,
    `performance.now();`,
    `process.hrtime.bigint();`,
    `AbortSignal.timeout(100);`,
    `crypto.randomUUID();`,
    `globalThis.crypto.getRandomValues(bytes);`,
    `import { randomBytes as some } from "node:crypto"; some(8);`,
    `import crypto from "node:crypto"; crypto.randomInt(8);`,
    `import { webcrypto } from "node:crypto"; webcrypto.randomUUID();`,
    `const { randomUUID } = await import("node:crypto");`,
    `import { setTimeout as sleep } from "node:timers/promises"; await sleep(5); function f(sleep) {}`,
    `import { performance as watch } from "node:perf_hooks"; watch.now();`,
  ];
  for (const form of forms) {
    const found = verdicts({ "kernel/call/a.ts": form });
    equal(
      found.length > 0 && found.every((verdict) => /take a Clock or a Random/.test(verdict)),
      true,
      `${form}: ${found.join("; ")}`,
    );
    allowed("kernel/testing/a.ts", form);
    allowed("kernel/call/a.test.ts", form);
  }
  allowed("kernel/base/a.ts", `Date.now(); new Date(); Math.random(); setTimeout(run, 1); crypto.randomUUID();`);
});

test("what only looks like time or chance is none", () => {
  for (const text of [
    `const when = new Date(clock.nowMs()); const ms = Date.UTC(2026, 0, 1); const is = value instanceof Date;`,
    `// Date.now()\nconst text = "Math.random()";`,
    `type Timer = ReturnType<typeof setTimeout>; interface Options { setTimeout: () => void; performance: number }`,
    `let timer: ReturnType<typeof setInterval> | undefined; const x = y as typeof Date.now;`,
    `function start({ setTimeout }: Timers) { setTimeout(run, 10); }`,
    `const Date = fake; Date.now(); clock.performance.now(); const o = { setTimeout: 1, setInterval() {} };`,
    `import { createHash, timingSafeEqual } from "node:crypto"; createHash("sha256"); crypto.subtle.digest("SHA-256", bytes);`,
    `clearTimeout(timer); Math.max(1, 2); process.nextTick(run);`,
  ]) {
    allowed("kernel/call/a.ts", text);
  }
});

test("kernel/base runs in a browser", () => {
  refused("kernel/base/a.ts", `import { x } from "node:fs";`, /imports node:fs: kernel\/base runs in a browser/);
  refused("kernel/base/a.ts", `import type { X } from "crypto";`, /imports crypto: kernel\/base runs in a browser/);
  refused(
    "kernel/base/a.ts",
    `export const bytes = Buffer.from(text);`,
    /uses Buffer.from: kernel\/base runs in a browser/,
  );
  allowed("kernel/base/a.test.ts", `import { x } from "node:fs"; Buffer.from("a");`);
});

test("a computed import hides an edge and is refused in the store", () => {
  refused("store/services/orders/orders.ts", `const x = await import("../" + name);`, /computes what it imports/);
  allowed("store/main.ts", `import { createRequire } from "node:module"; createRequire(import.meta.url);`);
  allowed("kernel/cli/start.ts", `const app = await import(url);`);
});

test("a file that does not parse is a finding, not a silence", () => {
  refused("kernel/data/a.ts", `import { from;`, /cannot be parsed/);
});

test("a finding names the line", () => {
  deepEqual(readFacts("a.ts", `\n\nimport "x";\nDate.now();`), {
    imports: [{ specifier: "x", line: 3 }],
    uses: [
      { name: "Date.now()", line: 4 },
      { name: "Date.now", line: 4 },
    ],
    mistakes: [],
  });
});

test("edges are listed by folder, sorted, once, without tests and built-in modules", () => {
  const files = {
    "kernel/service/a.ts": `import { x } from "../data/index.ts"; import { y } from "../data/index.ts"; import "./b.ts"; import "node:fs"; import "fs/promises";`,
    "kernel/service/a.test.ts": `import { x } from "../testing/index.ts"; import fc from "fast-check";`,
    "kernel/data/pool.ts": `import pg from "pg"; import { z } from "@scope/name/deep";`,
    "store/services/orders/orders.ts": `import { x } from "../catalog/contract.ts"; import { y } from "ashlar/service"; import { z } from "./contract.ts"; import { w } from "../../api.ts";`,
    "store/main.ts": `import { x } from "./services/orders/service.ts";`,
    "examples/notes/main.ts": `import { x } from "ashlar/runtime";`,
  };
  deepEqual(listEdges(new Map(Object.entries(files))), [
    "kernel/data -> npm:@scope/name",
    "kernel/data -> npm:pg",
    "kernel/service -> kernel/data",
    "store -> store/services/orders",
    "store/services/orders -> kernel/service",
    "store/services/orders -> store",
    "store/services/orders -> store/services/catalog (contract)",
  ]);
});
