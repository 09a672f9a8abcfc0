// Mail of the whole store: kept and looked at, sent through a real server, and said when nobody sends it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startMailServer } from "../kernel/mail/fixture.ts";
import { createStoreFolder, eventually, type StoreProcess } from "./store-process.ts";

const folder = await createStoreFolder();
let store: StoreProcess;
after(() => folder.remove());

const password = "correct horse battery";
const register = (email: string) => store.request("POST", "/v1/users", { body: { email, name: "Somebody", password } });
const verify = (token: string) => store.request("POST", "/auth/email/verify", { body: { token } });

async function mailsTo(email: string): Promise<Record<string, string>[]> {
  const { code, stdout, stderr } = await folder.cli("mail", "--to", email);
  assert.deepEqual([code, stderr], [0, ""]);
  return linesOf(stdout);
}

function linesOf(text: string): Record<string, string>[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, string>);
}

test("without a mail server mails are kept, and `ashlar mail` shows the working link while the store runs", async () => {
  store = await folder.start();
  assert.equal((await register("kept@example.com")).status, 201);
  const [mail] = await mailsTo("KEPT@example.com");
  assert.deepEqual([mail!.to, mail!.state], ["kept@example.com", "kept"]);
  assert.match(mail!.subject!, /^Ashlar store: confirm/);
  const [, token] = /\nhttp:\/\/localhost:3000\/verify-email#token=([\w-]{43})\n/.exec(mail!.text!)!;
  assert.equal((await verify(token!)).status, 204);
  assert.equal(
    (await store.request("POST", "/auth/password/forgot", { body: { email: "kept@example.com" } })).status,
    204,
  );
  await eventually(async () => (await mailsTo("kept@example.com")).length === 2);
  const newest = (await mailsTo("kept@example.com")).at(-1)!;
  assert.match(newest.text!, /\/reset-password#token=/);
  assert.ok(!store.output().includes(token!));
  await store.stop();
});

test("with a mail server they are sent there, those that waited included, with links to the configured host", async () => {
  const server = await startMailServer();
  const settings = { MAIL_FROM: "Shop <shop@example.org>", PUBLIC_URL: "https://shop.example/" };
  store = await folder.start({ SMTP_URL: `smtp://127.0.0.1:${server.port}`, ...settings });
  assert.equal((await register("sent@example.com")).status, 201);
  const received = (email: string) => server.received.filter(({ to }) => to.includes(email));
  await eventually(async () => received("sent@example.com").length === 1 && received("kept@example.com").length === 2);
  const [{ source, from }] = received("sent@example.com") as [(typeof server.received)[0]];
  assert.equal(from, "shop@example.org");
  const text = source.replaceAll("=\r\n", "").replaceAll("=3D", "=");
  const [, token] = /https:\/\/shop\.example\/verify-email#token=([\w-]{43})/.exec(text)!;
  assert.equal((await verify(token!)).status, 204);
  assert.deepEqual(
    (await mailsTo("sent@example.com")).map(({ state }) => state),
    ["sent"],
  );
  await store.stop();
});

test("in production without a mail server the start says so", async () => {
  const fresh = await createStoreFolder();
  after(() => fresh.remove());
  store = await fresh.start({ NODE_ENV: "production" });
  const warning = () => linesOf(store.output()).find(({ msg }) => String(msg).startsWith("SMTP_URL is not set"));
  await eventually(async () => warning() !== undefined);
  assert.equal(warning()!.level, "warn");
  await store.stop();
});
