// An admin's day: a price that somebody else changed, an order that leaves the house, an empty shelf.

import type { Order, Product, Tokens } from "./customer.ts";
import { showChapter, showNote } from "./show.ts";
import { type Person, type Stage, TourError } from "./stage.ts";

const email = "admin@example.com";

export async function arriveAsAdmin({ play }: Stage, password: string): Promise<Person> {
  showChapter("An admin arrives");
  const admin: Person = { name: "the admin" };
  const line = { method: "POST", path: "/auth/login", body: { email, password }, expect: 200 } as const;
  const { body } = await play<Tokens>(admin, line).catch((cause: unknown) => {
    const advice =
      "The tour needs the demo data (not there with NODE_ENV=production) and its password (DEMO_PASSWORD, if the store was first started with another).";
    throw cause instanceof TourError ? new TourError(`${cause.message}\n${advice}`, { cause }) : cause;
  });
  return { ...admin, token: body.accessToken };
}

/** Of two who change what they saw, the second is told. At the end the price is what it was. */
export async function changePrice({ play }: Stage, admin: Person, customer: Person, { id }: Product): Promise<void> {
  showChapter("The admin changes a price");
  const path = `/v1/products/${id}`;
  const seen = await play<Product>(admin, { method: "GET", path, expect: 200 });
  const tag = seen.headers.get("etag") ?? "";
  const higher = (Math.round(seen.body.price * 100) + 50) / 100;
  await play(customer, { method: "PATCH", path, body: { price: 0.01 }, expect: 403 });
  await play(admin, { method: "PATCH", path, body: { price: higher }, expect: 428 });
  showNote("Nobody may change what they have not seen: If-Match, or version in the body.");
  const changed = await play<Product>(admin, {
    method: "PATCH",
    path,
    body: { price: higher },
    headers: { "if-match": tag },
    expect: 200,
  });
  await play(admin, { method: "PATCH", path, body: { price: 1 }, headers: { "if-match": tag }, expect: 412 });
  showNote("That was the version from before. Nothing was lost.");
  await play(admin, {
    method: "PATCH",
    path,
    body: { price: seen.body.price },
    headers: { "if-match": changed.headers.get("etag") ?? "" },
    expect: 200,
  });
}

export async function deliver({ play }: Stage, admin: Person, { id, version }: Order): Promise<void> {
  showChapter("The order goes its way");
  const step = (status: Order["status"], version: number, expect: number) =>
    play<Order>(admin, { method: "PATCH", path: `/v1/orders/${id}`, body: { status, version }, expect });
  const shipped = await step("shipped", version, 200);
  const delivered = await step("delivered", shipped.body.version, 200);
  await step("cancelled", delivered.body.version, 409);
}

/** Puts back on the shelf what the customer bought, so that the store does not run dry of tours. */
export async function restock({ play }: Stage, admin: Person, { items }: Order): Promise<void> {
  showChapter("The shelf is filled again");
  for (const { productId, quantity } of items) {
    const path = `/v1/products/${productId}`;
    const { body, headers } = await play<Product>(admin, { method: "GET", path, expect: 200 });
    await play(admin, {
      method: "PATCH",
      path,
      body: { stock: body.stock + quantity },
      headers: { "if-match": headers.get("etag") ?? "" },
      expect: 200,
    });
  }
}
