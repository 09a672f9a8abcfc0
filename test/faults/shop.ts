// The shop before it opens: its products, its customers, and what they send.

import { createClient, type TestClient } from "ashlar/testing";
import type { Installation } from "./installation.ts";
import type { Plan } from "./plan.ts";

export interface Shop extends TestClient {
  /** Ids, in the order of the plan's stocks. */
  readonly products: readonly string[];
  /** The `Authorization` of each customer. */
  readonly customers: readonly string[];
}

const password = "correct horse battery";
/** An access token lives for 15 minutes; a longer run has to sign in again. */
const signInEveryMs = 10 * 60_000;

export async function openShop(
  { url, databases }: Installation,
  { stocks }: Plan,
  customers: number,
): Promise<Shop & { signInAgain(): Promise<void> }> {
  const client = createClient(url);
  const post = async (path: string, body: object, authorization?: string) => {
    const answer = await client.request("POST", path, {
      body,
      ...(authorization === undefined ? {} : { authorization }),
    });
    if (answer.status >= 300) throw new Error(`POST ${path} was answered with ${answer.status}: ${answer.text}`);
    return answer.json;
  };
  const signIn = async (email: string) => {
    const { accessToken } = await post("/auth/login", { email, password });
    return `Bearer ${accessToken}`;
  };
  const emails = Array.from({ length: customers }, (_, index) => `customer${index}@example.com`);
  const admin = "admin@example.com";
  for (const email of [...emails, admin]) await post("/v1/users", { email, password, name: email });
  await databases.get("identity")!.query("update users set roles = '{admin}' where email = $1", [admin]);
  const asAdmin = await signIn(admin);
  const products: string[] = [];
  for (const [index, stock] of stocks.entries()) {
    const product = { sku: `FAULT-${index}`, name: `Product ${index}`, price: 10 + index, currency: "EUR", stock };
    products.push((await post("/v1/products", product, asAdmin)).id);
  }
  const tokens: string[] = [];
  let signedInAtMs = Number.NEGATIVE_INFINITY;
  const signInAgain = async () => {
    if (performance.now() - signedInAtMs < signInEveryMs) return;
    for (const [index, email] of emails.entries()) tokens[index] = await signIn(email);
    signedInAtMs = performance.now();
  };
  await signInAgain();
  return { ...client, products, customers: tokens, signInAgain };
}
