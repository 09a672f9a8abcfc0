import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { createTestDatabase, startTestSystem, type TestSystem } from "../testing/index.ts";
import { library, libraryService } from "./library/library.ts";
import { migrationsOf } from "./running.ts";

const loaded: string[] = [];
let holdUp: Promise<void> | undefined;
const implementation = libraryService((what) => {
  loaded.push(what);
  return holdUp;
});
const { url } = await createTestDatabase({ migrations: migrationsOf(implementation) });
const start = () =>
  startTestSystem({
    definition: {
      name: "library",
      title: "Library",
      version: "0.0.0",
      contracts: [library],
      services: () => [implementation],
    },
    settings: { databaseUrls: { library: url } },
  });
const [here, there] = [await start(), await start()] as [TestSystem, TestSystem];
const someone = () => encodeId("usr", uuidv7(systemClock, systemRandom));
const [ann, ben] = [someone(), someone()];
const as = (system: TestSystem, userId: string, ...roles: string[]) => system.authorization({ userId, roles });
const librarian = await as(here, ann, "librarian");

const newBook = async (title: string, shelf = "A1") => {
  // So that rows have an order.
  await here.clock.advance(1);
  const { status, json } = await here.request("POST", "/v1/books", {
    authorization: librarian,
    body: { title, shelf },
  });
  assert.equal(status, 201);
  return json.id as string;
};
const change = (id: string, body: object) =>
  here.request("PATCH", `/v1/books/${id}`, { authorization: librarian, body });
const titleOf = async (id: string, system = here) => (await system.request("GET", `/v1/books/${id}`)).json.title;
/** What no cache can notice: what is still seen afterwards was kept. */
const byHand = (sql: string, ...values: unknown[]) => here.rows("library", sql, values);

test("a row is kept until it is changed; its fields and tags are made from what is kept", async () => {
  const id = await newBook("Emma");
  assert.equal(await titleOf(id), "Emma");
  await byHand("update books set title = 'By hand', shelf_mark = 'secret' where title = 'Emma'");
  assert.equal(await titleOf(id), "Emma");
  const narrow = await here.request("GET", `/v1/books/${id}?fields=title`);
  assert.deepEqual(narrow.json, { title: "Emma" });
  const etag = (await here.request("GET", `/v1/books/${id}`)).headers.get("etag")!;
  const same = await here.request("GET", `/v1/books/${id}`, { headers: { "if-none-match": etag } });
  assert.equal(same.status, 304);

  assert.equal((await change(id, { title: "Persuasion" })).status, 200);
  const { json, text, headers } = await here.request("GET", `/v1/books/${id}`, {
    headers: { "if-none-match": etag },
  });
  assert.deepEqual([json.title, json.version, headers.get("etag")], ["Persuasion", 2, '"2"']);
  assert.ok(!text.includes("secret"));
});

test("every write of a row is seen in lists at once", async () => {
  const titles = async () =>
    (await here.request("GET", "/v1/books?shelf=B1")).json.data.map(({ title }: { title: string }) => title);
  assert.deepEqual(await titles(), []);
  const id = await newBook("Middlemarch", "B1");
  assert.deepEqual(await titles(), ["Middlemarch"]);
  await byHand("update books set title = 'By hand' where title = 'Middlemarch'");
  assert.deepEqual(await titles(), ["Middlemarch"]);
  await change(id, { title: "Romola" });
  assert.deepEqual(await titles(), ["Romola"]);
  await here.request("DELETE", `/v1/books/${id}`, { authorization: librarian });
  assert.deepEqual(await titles(), []);
});

test("that a row is not there is kept, and ends when it is restored", async () => {
  const id = await newBook("Villette");
  await here.request("DELETE", `/v1/books/${id}`, { authorization: librarian });
  const { status, json } = await here.request("GET", `/v1/books/${id}`);
  assert.deepEqual([status, json.error.code], [404, "NOT_FOUND"]);
  await byHand("update books set deleted_at = null where title = 'Villette'");
  assert.equal((await here.request("GET", `/v1/books/${id}`)).status, 404);
  await byHand("update books set deleted_at = now() where title = 'Villette'");
  assert.equal((await change(id, { deletedAt: null })).status, 200);
  assert.equal(await titleOf(id), "Villette");
});

test("deleted rows are not kept: who may see them sees them as they are", async () => {
  const id = await newBook("Shirley");
  const path = `/v1/books/${id}?includeDeleted=true`;
  assert.equal((await here.request("GET", path, { authorization: librarian })).json.title, "Shirley");
  await byHand("update books set title = 'By hand' where title = 'Shirley'");
  assert.equal((await here.request("GET", path, { authorization: librarian })).json.title, "By hand");
  assert.equal((await here.request("GET", path)).status, 401);
});

test("what is private is kept for each caller, and for each of the roles that a caller had", async () => {
  const [forAnn, forBen] = [await as(here, ann), await as(here, ben)];
  const { json: lent } = await here.request("POST", "/v1/loans", { authorization: forAnn, body: { book: "Emma" } });
  const statusFor = async (authorization: string | undefined) =>
    (await here.request("GET", `/v1/loans/${lent.id}`, authorization === undefined ? {} : { authorization })).status;
  assert.equal(await statusFor(forAnn), 200);
  assert.equal(await statusFor(forBen), 404);
  assert.equal(await statusFor(undefined), 401);
  const asLibrarian = await as(here, ben, "librarian");
  assert.equal(await statusFor(asLibrarian), 200);
  assert.equal(await statusFor(forBen), 404);
});

test("a change of one owner's rows leaves the lists of another as they are", async () => {
  const [forAnn, forBen] = [await as(here, ann), await as(here, ben)];
  const lend = async (authorization: string, book: string) => {
    await here.clock.advance(1);
    await here.request("POST", "/v1/loans", { authorization, body: { book } });
  };
  const booksOf = async (authorization: string, path = "/v1/loans") =>
    (await here.request("GET", `${path}?sort=createdAt`, { authorization })).json.data
      .map(({ book }: { book: string }) => book)
      .at(-1);
  await lend(forAnn, "Ann's");
  for (const path of ["/v1/loans", "/v1/users/me/loans"]) assert.equal(await booksOf(forAnn, path), "Ann's");
  await byHand("update loans set book = 'By hand' where book = 'Ann''s'");
  await lend(forBen, "Ben's");
  assert.equal(await booksOf(forBen), "Ben's");
  for (const path of ["/v1/loans", "/v1/users/me/loans"]) assert.equal(await booksOf(forAnn, path), "Ann's");
  await lend(forAnn, "Ann's second");
  for (const path of ["/v1/loans", "/v1/users/me/loans"]) assert.equal(await booksOf(forAnn, path), "Ann's second");
});

test("what is for anyone is computed for nobody and kept for all, what is not is computed for each", async () => {
  loaded.length = 0;
  const [forAnn, forBen] = [await as(here, ann), await as(here, ben)];
  const ask = async (path: string, authorization?: string) =>
    (await here.request("GET", path, authorization === undefined ? {} : { authorization })).json.for;
  assert.deepEqual([await ask("/v1/book-count", forAnn), await ask("/v1/book-count")], ["nobody", "nobody"]);
  assert.deepEqual(loaded, ["books"]);
  for (const authorization of [forAnn, forBen, forAnn])
    assert.equal(await ask("/v1/loan-count", authorization), "user");
  assert.deepEqual(loaded, ["books", "loans", "loans"]);
});

test("the cursor of a page that is kept for all is still the caller's own", async () => {
  for (const title of ["Adam Bede", "Silas Marner"]) await newBook(title, "C1");
  const [forAnn, forBen] = [await as(here, ann), await as(here, ben)];
  const page = (authorization: string | undefined, cursor?: string) =>
    here.request("GET", `/v1/books?shelf=C1&limit=1&sort=createdAt${cursor === undefined ? "" : `&cursor=${cursor}`}`, {
      ...(authorization === undefined ? {} : { authorization }),
    });
  const cursors = new Map<string | undefined, string>();
  for (const who of [forAnn, forBen, undefined]) cursors.set(who, (await page(who)).json.pagination.nextCursor);
  for (const who of cursors.keys())
    for (const [whose, cursor] of cursors) {
      const { status, json } = await page(who, cursor);
      if (who === whose) assert.equal(json.data[0].title, "Silas Marner");
      else assert.deepEqual([status, json.error.code], [400, "INVALID_CURSOR"]);
    }
});

test("an operation of one's own depends on what it names, and a rollback changes nothing", async (t) => {
  const shelf = async () => (await here.request("GET", "/v1/shelves/D1")).json.count;
  const dust = (name: string, fails: number) =>
    here.request("POST", `/v1/shelves/${name}/dust`, { authorization: librarian, body: { fails } });
  assert.equal(await shelf(), 0);
  await newBook("Lodore", "D1");
  assert.equal(await shelf(), 0, "it says that it depends on the tag only");
  assert.equal((await dust("D2", 0)).status, 204);
  t.mock.method(console, "error", () => {});
  assert.equal((await dust("D1", 1)).status, 500);
  assert.equal(await shelf(), 0);
  assert.equal((await dust("D1", 0)).status, 204);
  assert.equal(await shelf(), 1);
});

test("SQL of one's own says which rows it changed", async () => {
  const id = await newBook("Valperga", "E1");
  const read = async () => (await here.request("GET", `/v1/books/${id}`)).json.shelf;
  const listed = async () => (await here.request("GET", "/v1/books?shelf=E2")).json.data.length;
  assert.deepEqual([await read(), await listed()], ["E1", 0]);
  await here.request("PATCH", "/v1/shelves/E1", { authorization: librarian, body: { to: "E2" } });
  assert.deepEqual([await read(), await listed()], ["E2", 1]);
});

test("when all rows may have changed, no read of them is kept", async () => {
  const id = await newBook("Falkner", "G1");
  const read = async () => (await here.request("GET", `/v1/books/${id}`)).json.shelf;
  const listed = async () => (await here.request("GET", "/v1/books?shelf=G1")).json.data.length;
  assert.deepEqual([await read(), await listed()], ["G1", 1]);
  loaded.length = 0;
  await here.request("GET", "/v1/book-count");
  await here.request("POST", "/v1/closing", { authorization: librarian });
  assert.deepEqual([await read(), await listed()], ["closed", 0]);
  await here.request("GET", "/v1/book-count");
  assert.equal(loaded.length, 2);
});

test("SQL that changes what is cached and does not say so is refused before it is committed", async (t) => {
  const id = await newBook("The Mill on the Floss");
  const logged = t.mock.method(console, "error", () => {});
  assert.equal((await here.request("POST", "/v1/burning", { authorization: librarian })).status, 500);
  assert.match(
    String(logged.mock.calls[0]!.arguments[1].err),
    /changed book in SQL of its own.*ctx\.changed\(tx, book/,
  );
  assert.equal(await titleOf(id), "The Mill on the Floss");
});

test("the service clears its marks away when every process must have seen them", async () => {
  await newBook("Lady Susan");
  const marks = async () => (await byHand("select 1 from ashlar.cache_marks")).length;
  assert.ok((await marks()) > 0);
  // The job runs on the clock of the process, and goes by the clock of the database.
  for (let round = 0; (await marks()) > 0; round++) {
    assert.ok(round < 50, "they stay");
    await byHand("update ashlar.cache_horizon set moved_at = now() - interval '1 hour'");
    await here.clock.advance(60_000);
  }
});

test("a hundred who ask at once share one load, and it goes on when the one who began it has gone", async () => {
  const gate = Promise.withResolvers<void>();
  holdUp = gate.promise;
  await newBook("Mathilda");
  loaded.length = 0;
  const { hostname, port } = new URL(here.system.url);
  const first = connect(Number(port), hostname);
  first.write(`GET /v1/book-count HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  while (loaded.length === 0) await new Promise((resolve) => void setImmediate(resolve));
  const asked = Array.from({ length: 100 }, () => here.request("GET", "/v1/book-count"));
  first.resetAndDestroy();
  await once(first, "close");
  // By the time that others were answered, the server knows.
  for (let n = 0; n < 5; n++) await here.request("GET", "/health/live");
  gate.resolve();
  for (const { status } of await Promise.all(asked)) assert.equal(status, 200);
  assert.deepEqual(loaded, ["books"]);
  holdUp = undefined;
});

test("what another process changed is seen within a second, and a row that nobody changed is not read again", async () => {
  const [id, other] = [await newBook("Agnes Grey"), await newBook("Ruth")];
  await there.clock.advance(1_000);
  assert.deepEqual([await titleOf(id, there), await titleOf(other, there)], ["Agnes Grey", "Ruth"]);
  await change(id, { title: "Agnes Grey, second edition" });
  await byHand("update books set title = 'By hand' where title = 'Ruth'");
  assert.equal(await titleOf(id, here), "Agnes Grey, second edition");
  await there.clock.advance(1_000);
  assert.equal(await titleOf(id, there), "Agnes Grey, second edition");
  assert.equal(await titleOf(other, there), "Ruth");
});

test("whoever answers a repeated request from its record answers later reads with what it wrote", async () => {
  const list = async () => (await there.request("GET", "/v1/books?shelf=F1")).json.data.length;
  await there.clock.advance(1_000);
  assert.equal(await list(), 0);
  const create = async (system: TestSystem) =>
    system.request("POST", "/v1/books", {
      authorization: await as(system, ann, "librarian"),
      headers: { "idempotency-key": "once" },
      body: { title: "Cranford", shelf: "F1" },
    });
  assert.equal((await create(here)).status, 201);
  const repeated = await create(there);
  assert.deepEqual([repeated.status, repeated.headers.get("idempotent-replayed")], [201, "true"]);
  assert.equal(await list(), 1);
});
