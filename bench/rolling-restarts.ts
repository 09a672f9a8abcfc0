// Whether anybody notices that every process of the store is restarted while it is used.
//
//   npm run bench:rolling [-- rounds [requests a second]]
//
// Starts the store as four processes in a folder of its own, and asks it on connections that are kept, in a rhythm that does
// not wait for answers; half of the requests are POSTs (products, orders). Nothing is ever asked twice. Meanwhile all
// processes are restarted one after the other, round by round. Every answer has to be the one that the same request gets of a
// store that nobody restarts: 200 or 201. At the end as many orders and products are there as were answered with 201, no
// more and no fewer. Ends with 1 when a request failed.

import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { createStoreFolder, eventually, type StoreProcess } from "../test/store-process.ts";

const rounds = Number(process.argv[2] ?? 10);
const perSecond = Number(process.argv[3] ?? 200);
const tickMs = 50;
const answerTimeoutMs = 30_000;

interface Asked {
  path: string;
  body?: object;
  expected: number;
}

const figures = { requests: 0, posts: 0, failed: 0, longestMs: 0, orders: 0, products: 0 };
const failures = new Map<string, number>();
// Kept as long as the store says that it keeps them, as every client of HTTP should.
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

async function ask(store: StoreProcess, authorization: string, { path, body, expected }: Asked): Promise<void> {
  figures.requests += 1;
  if (body !== undefined) figures.posts += 1;
  const startMs = performance.now();
  try {
    const { status, said } = await answerTo(store, authorization, path, body);
    if (status !== expected) throw new Error(`${status} ${said.slice(0, 200)}`);
    if (path === "/v1/orders") figures.orders += 1;
    if (path === "/v1/products") figures.products += 1;
  } catch (error) {
    figures.failed += 1;
    const said = `${path.split("?")[0]}: ${(error as Error).message}`;
    failures.set(said, (failures.get(said) ?? 0) + 1);
  }
  figures.longestMs = Math.max(figures.longestMs, performance.now() - startMs);
}

function answerTo({ url }: StoreProcess, authorization: string, path: string, body: object | undefined) {
  const content = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    authorization,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(content),
  };
  const method = body === undefined ? "GET" : "POST";
  return new Promise<{ status: number | undefined; said: string }>((resolve, reject) => {
    const asked = request(`${url}${path}`, { agent, method, headers, timeout: answerTimeoutMs }, (answer) =>
      text(answer).then((said) => resolve({ status: answer.statusCode, said }), reject),
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.on("error", reject);
    asked.end(content);
  });
}

let made = 0;
function nextRequest(productId: string): Asked {
  made += 1;
  const item = { productId, quantity: 1 };
  if (made % 4 === 0) return { path: "/v1/orders", body: { items: [item] }, expected: 201 };
  if (made % 4 === 2) return { path: "/v1/products", body: aProduct(`ROLL-${made}`), expected: 201 };
  const reads = ["/v1/products?limit=5", "/v1/users/me", `/v1/products/${productId}`, "/v1/orders?limit=5"];
  return { path: reads[(made >> 1) % reads.length]!, expected: 200 };
}

function aProduct(sku: string) {
  return { sku, name: "A thing", price: 5, currency: "EUR", stock: 1_000_000_000 };
}

/** Asks in its rhythm until it is told to stop; resolves when all is answered. */
async function useIt(store: StoreProcess, authorization: string, productId: string, until: AbortSignal): Promise<void> {
  const answers = new Set<Promise<void>>();
  const startMs = performance.now();
  let asked = 0;
  while (!until.aborted) {
    const due = ((performance.now() - startMs) / 1_000) * perSecond;
    for (; asked < due; asked++) {
      const answer = ask(store, authorization, nextRequest(productId)).finally(() => answers.delete(answer));
      answers.add(answer);
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  await Promise.all(answers);
}

const restarts = ({ output }: StoreProcess) => output().split('"msg":"Restarted"').length - 1;

const warningsOf = ({ output }: StoreProcess) =>
  output()
    .split("\n")
    .filter((line) => /"level":"(warn|error)"/.test(line));

const folder = await createStoreFolder();
try {
  const store = await folder.start(
    { LIMIT_DEFAULT: "off", LIMIT_ANONYMOUS: "off", LIMIT_AUTH: "off" },
    "--topology",
    "split",
  );
  await eventually(async () => store.output().includes('"processes":'), 60_000);
  const login = await store.request("POST", "/auth/login", {
    body: { email: "admin@example.com", password: "ashlar-demo" },
  });
  const authorization = `Bearer ${login.json.accessToken}`;
  const { json: product } = await store.request("POST", "/v1/products", { authorization, body: aProduct("ROLL") });
  const count = async (path: string) =>
    (await store.request("GET", `${path}?limit=1`, { authorization })).json.pagination.total as number;
  const before = { orders: await count("/v1/orders"), products: await count("/v1/products") };

  const over = new AbortController();
  const using = useIt(store, authorization, product.id, over.signal);
  for (let round = 1; round <= rounds; round++) {
    const startMs = performance.now();
    process.kill(store.pid, "SIGUSR2");
    await eventually(
      async () => restarts(store) === round || store.output().includes("The restart was given up"),
      300_000,
    );
    if (restarts(store) < round) throw new Error("A process did not come to serve; the log says why");
    const tookS = ((performance.now() - startMs) / 1_000).toFixed(1);
    console.log(`round ${round}: four processes in ${tookS} s; ${figures.requests} requests, ${figures.failed} failed`);
  }
  over.abort();
  await using;
  const kept = {
    orders: (await count("/v1/orders")) - before.orders,
    products: (await count("/v1/products")) - before.products,
  };
  const stopMs = performance.now();
  const code = await store.stop();
  console.log();
  console.table({
    "rolling restarts of every process": rounds,
    requests: figures.requests,
    "of them POST": figures.posts,
    failed: figures.failed,
    "orders answered, and there": `${figures.orders}, ${kept.orders}`,
    "products answered, and there": `${figures.products}, ${kept.products}`,
    "longest answer": `${Math.round(figures.longestMs)} ms`,
    "the end of all, with code": `${Math.round(performance.now() - stopMs)} ms, ${code}`,
  });
  for (const [said, times] of failures) console.log(`${times} x ${said}`);
  if (figures.failed > 0) console.log(warningsOf(store).slice(-20).join("\n"));
  const exact = kept.orders === figures.orders && kept.products === figures.products;
  if (figures.failed > 0 || !exact || code !== 0) process.exitCode = 1;
} finally {
  agent.destroy();
  await folder.remove();
}
