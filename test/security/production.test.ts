// A start in production, as an operator makes it: what it refuses, and what it says.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { createStoreFolder } from "../store-process.ts";

const folder = await createStoreFolder();
after(() => folder.remove());
const production = { NODE_ENV: "production" };

test("S10 L18 a store with demo users does not start in production, and names them; after their deletion it does", async () => {
  const store = await folder.start();
  const login = (email: string) => store.request("POST", "/auth/login", { body: { email, password: "ashlar-demo" } });
  const { accessToken } = (await login("admin@example.com")).json;
  const authorization = `Bearer ${accessToken}`;
  const { data } = (await store.request("GET", "/v1/users?limit=100", { authorization })).json;
  assert.equal(data.length, 8);
  await store.stop();

  await assert.rejects(folder.start(production), (error: Error) => {
    for (const { email } of data) assert.ok(error.message.includes(email), email);
    return !error.message.includes("ashlar-demo") && /demo data that anybody knows/.test(error.message);
  });

  const again = await folder.start();
  // The admin last, whose token it is.
  const leaving = data.toSorted((a: { role: string }, b: { role: string }) => (a.role < b.role ? 1 : -1));
  for (const { id } of leaving)
    assert.equal((await again.request("DELETE", `/v1/users/${id}`, { authorization })).status, 204);
  await again.stop();
  const live = await folder.start(production);
  assert.equal(
    (await live.request("POST", "/auth/login", { body: { email: "admin@example.com", password: "ashlar-demo" } }))
      .status,
    401,
  );
  assert.doesNotMatch(live.output(), /demo/);
  await live.stop();
});

test("S10 every weak secret is named in one line of the log, and none of them is in it", async () => {
  const environment = {
    ...production,
    DEMO_PASSWORD: "ashlar-demo",
    PUBLIC_URL: "http://localhost:3000",
    USERS_DATABASE_URL: "postgres://users:hunter2@127.0.0.1/users",
  };
  await assert.rejects(folder.start(environment), (error: Error) => {
    const [, line] = error.message.split("\n");
    const { msg, reason } = JSON.parse(line!) as Record<string, string>;
    assert.equal(msg, "The start failed");
    for (const name of ["DEMO_PASSWORD", "PUBLIC_URL", "USERS_DATABASE_URL"]) assert.ok(reason!.includes(name), name);
    return !/hunter2|ashlar-demo/.test(error.message);
  });
});

test("S10 an empty, short or torn secret of the installation is refused at any start", async () => {
  const path = join(folder.directory, "secret");
  const secret = await readFile(path, "utf8");
  for (const damaged of ["", "00", secret.slice(2), `${secret}00`, "not hexadecimal".repeat(5)]) {
    await writeFile(path, damaged);
    for (const environment of [{}, production])
      await assert.rejects(folder.start(environment), /secret is damaged/, JSON.stringify(damaged.slice(0, 10)));
  }
  await writeFile(path, secret);
});
