// What the tests of this folder start from: the whole store in one process, people in it, and its key.

import { createPrivateKey, type KeyObject } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { createPasswords } from "ashlar/auth";
import { type Logger, systemClock } from "ashlar/base";
import type { SystemSettings } from "ashlar/runtime";
import { startTestSystem, type TestSystem } from "ashlar/testing";
import { apiKeys, contracts, endedTokens, services } from "../../store/services.ts";

export const password = "correct horse battery";

export interface Person {
  id: string;
  email: string;
  authorization: string;
  accessToken: string;
  refreshToken: string;
}

export interface Product {
  id: string;
  sku: string;
  version: number;
}

export interface OpenStore extends TestSystem {
  readonly dataDirectory: string;
  person(): Promise<Person>;
  admin(): Promise<Person>;
  signIn(email: string): Promise<Omit<Person, "id">>;
  product(values?: { stock?: number; price?: number; currency?: string }): Promise<Product>;
  /** An API key of a person; its `Authorization`. */
  apiKey(owner: Person, scopes: readonly string[]): Promise<string>;
  /** Sends these bytes and answers all that comes until the connection closes. */
  raw(bytes: string): Promise<string>;
  /** The private key that signs the tokens of this store. */
  privateKey(): Promise<KeyObject>;
}

/** Hashing that costs next to nothing: what is tested here is what stands before and behind it. */
const cheap = createPasswords({ clock: systemClock, cost: { memoryKiB: 64, passes: 1 } });

/** To be called at the top level of a test file. */
export async function openStore(
  options: { settings?: Partial<SystemSettings>; log?: Logger } = {},
): Promise<OpenStore> {
  const dataDirectory = await mkdtemp(join(tmpdir(), "ashlar-test-"));
  after(() => rm(dataDirectory, { recursive: true, force: true }));
  const system = await startTestSystem({
    ...options,
    settings: { dataDirectory, ...options.settings },
    definition: {
      name: "store",
      title: "Store",
      version: "0.0.0",
      contracts,
      apiKeys,
      endedTokens,
      services: (platform) => services({ ...platform, passwords: cheap }),
    },
  });
  const { request } = system;
  let count = 0;
  let admin: Promise<Person> | undefined;

  const created = async <T>(path: string, body: object, authorization?: string): Promise<T> => {
    const answer = await request("POST", path, { body, ...(authorization === undefined ? {} : { authorization }) });
    if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return answer.json as T;
  };
  const signIn: OpenStore["signIn"] = async (email) => {
    const { json } = await request("POST", "/auth/login", { body: { email, password } });
    return { ...json, email, authorization: `Bearer ${json.accessToken}` };
  };
  const person = async () => {
    const email = `person.${++count}@example.com`;
    const { id } = await created<{ id: string }>("/v1/users", { email, password, name: "A Person" });
    return { id, ...(await signIn(email)) };
  };
  const makeAdmin = async () => {
    const { id, email } = await person();
    await system.rows("identity", "update users set roles = '{admin}' where email = $1", [email]);
    return { id, ...(await signIn(email)) };
  };

  return {
    ...system,
    dataDirectory,
    signIn,
    person,
    admin: makeAdmin,
    async product({ stock = 10, price = 25, currency = "EUR" } = {}) {
      admin ??= makeAdmin();
      const body = { sku: `SKU-${++count}`, name: "Thing", price, currency, stock };
      return created("/v1/products", body, (await admin).authorization);
    },
    async apiKey(owner, scopes) {
      const path = `/v1/users/${owner.id}/api-keys`;
      const { key } = await created<{ key: string }>(path, { name: "Machine", scopes }, owner.authorization);
      return `Bearer ${key}`;
    },
    raw: (bytes) => exchange(new URL(system.url), bytes),
    async privateKey() {
      const file = JSON.parse(await readFile(join(dataDirectory, "keys", "0001.json"), "utf8"));
      return createPrivateKey({ key: file.key, format: "jwk" });
    },
  };
}

function exchange({ hostname, port }: URL, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes, "latin1"));
    socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
    socket.on("error", () => {}).on("close", () => resolve(answer));
  });
}
