// `npm run bench:lists`: page 10,000 costs what page 1 costs.
//
// Starts a PostgreSQL of its own, fills a million orders, and asks for pages with the statements of the real
// table. Prints Markdown; exits with 1 when page 10,000 by cursor costs more than twice what page 1 costs.

import { cpus, totalmem } from "node:os";
import { silentLogger, systemClock } from "ashlar/base";
import { createDatabase } from "ashlar/data";
import { migrationsOf } from "ashlar/service";
import { createTestDatabase } from "ashlar/testing";
import { ordersService } from "../../store/services/orders/service.ts";
import { customerCount, fillOrders, middle, orderCount, reseller } from "./fill-orders.ts";
import { type Cost, measureList, type Measured, ratioOf, statementsFor } from "./pages.ts";
import { comparePrepared } from "./prepared.ts";

const ratioMax = 2;

const { url } = await createTestDatabase({ migrations: migrationsOf(ordersService()) });
// Filling takes longer than any statement of a service may.
const database = createDatabase({ url, log: silentLogger, clock: systemClock, statementTimeoutMs: 0 });
await fillOrders(database);

const measured = [
  await measureList(database, "`/orders`", {}),
  await measureList(database, "`/orders?sort=total`", { sort: "total" }),
  await measureList(database, "`/orders?sort=-createdAt,+total`", { sort: "-createdAt,+total" }),
  await measureList(database, "`/orders?status=delivered`", { status: "delivered" }),
  await measureList(database, "`/users/{userId}/orders`, a customer with 300,000", {}, { userId: reseller }),
];
const [page] = await statementsFor(database, { cursor: "x" }, {}, middle);
const compared = await comparePrepared(database, page!);
const [{ version }] = (await database.query<{ version: string }>("select current_setting('server_version') as version"))
  .rows as [{ version: string }];
await database.close();

const number = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 0 });
const cost = ({ ms, buffers }: Cost) => `${ms.toFixed(3)} ms, ${number(buffers)} buffers`;
const row = (one: Measured) =>
  `| ${one.list} | ${cost(one.first)} | ${cost(one.farByCursor)} | ${ratioOf(one).toFixed(2)} | ${cost(one.farByOffset)} | ${cost(one.count)} |`;
console.log(`${new Date().toISOString().slice(0, 10)}, PostgreSQL ${version}, Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), ${number(totalmem() / 2 ** 30)} GiB.
${number(orderCount)} orders of ${number(customerCount)} customers, 20 rows a page.

| list | page 1 | page 10,000 by cursor | ratio | page 10,000 by offset | count |
| --- | --- | --- | --- | --- | --- |
${measured.map(row).join("\n")}

A page by cursor, 16 at a time: ${number(compared.preparedPerSecond)} a second prepared, ${number(compared.plannedPerSecond)} planned each time (${(compared.preparedPerSecond / compared.plannedPerSecond).toFixed(2)} times as many).`);

const slow = measured.filter((one) => ratioOf(one) > ratioMax);
for (const one of slow)
  console.error(`${one.list}: page 10,000 costs ${ratioOf(one).toFixed(2)} times what page 1 costs.`);
process.exitCode = slow.length > 0 ? 1 : 0;
