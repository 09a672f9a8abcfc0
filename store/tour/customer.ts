// A customer's day: register, log in, browse, fill a cart, check out, change their mind, leave.

import type { Random } from "ashlar/base";
import type { Out, Page, RowOf } from "ashlar/contract";
import type { product } from "../services/catalog/contract.ts";
import type { identity, user } from "../services/identity/contract.ts";
import type { order, orders } from "../services/orders/contract.ts";
import { showChapter, showNote } from "./show.ts";
import { expectThat, type Person, type Stage } from "./stage.ts";

export type Product = RowOf<typeof product>;
export type Order = RowOf<typeof order>;
export type Tokens = Out<typeof identity.operations.login>;
type User = RowOf<typeof user>;
type Cart = Out<typeof orders.operations.getCart>;

export interface Customer extends Person {
  readonly id: string;
  tokens: Tokens;
}

const nobody: Person = { name: "nobody yet" };

/** Every tour has a customer of its own, so it can be played again. */
export async function arrive({ play }: Stage, random: Random): Promise<Customer> {
  showChapter("A customer arrives");
  const name = "Tomoko Tour";
  const email = `tour-${Buffer.from(random.bytes(5)).toString("hex")}@example.com`;
  const password = Buffer.from(random.bytes(12)).toString("base64url");

  await play(nobody, {
    method: "POST",
    path: "/v1/users",
    body: { email: "not an address", nickname: "T" },
    expect: 400,
  });
  showNote("Every mistake is named, each with its place.");
  const registered = await play<User>(nobody, {
    method: "POST",
    path: "/v1/users",
    body: { email, password, name },
    expect: 201,
  });
  const { body: tokens } = await play<Tokens>(nobody, {
    method: "POST",
    path: "/auth/login",
    body: { email, password },
    expect: 200,
  });
  const customer: Customer = { name, id: registered.body.id, tokens, token: tokens.accessToken };
  await play(customer, { method: "GET", path: "/v1/users/me", expect: 200 });
  await play(customer, { method: "GET", path: "/v1/users?limit=1", expect: 403 });
  return customer;
}

export async function browse({ play }: Stage, customer: Customer): Promise<readonly Product[]> {
  showChapter("They look around");
  const address = "/v1/products?priceMax=100&stockMin=5&sort=-stock&limit=3";
  const first = await play<Page<Product>>(customer, {
    method: "GET",
    path: address,
    expect: 200,
    look: ["link", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-policy", "ratelimit"],
  });
  const { nextCursor } = first.body.pagination;
  expectThat(
    nextCursor !== null && first.body.data.length === 3,
    "there are more than three products at up to 100, with stock",
  );
  const second = await play<Page<Product>>(customer, {
    method: "GET",
    path: `${address}&cursor=${encodeURIComponent(nextCursor!)}`,
    expect: 200,
  });
  const seen = new Set(first.body.data.map(({ id }) => id));
  expectThat(
    second.body.data.every(({ id }) => !seen.has(id)),
    "the next page shows other products",
  );

  const [wanted] = first.body.data;
  const path = `/v1/products/${wanted!.id}`;
  const { headers } = await play(customer, { method: "GET", path, expect: 200 });
  await play(customer, { method: "GET", path, headers: { "if-none-match": headers.get("etag") ?? "" }, expect: 304 });
  showNote("Unchanged since: no body.");
  return first.body.data;
}

export async function checkOut(
  { play, playUntil }: Stage,
  customer: Customer,
  [first, second]: readonly Product[],
): Promise<Order> {
  showChapter("They fill a cart and check out");
  const cart = `/v1/users/${customer.id}/cart`;
  await play(customer, { method: "PUT", path: `${cart}/items/${first!.id}`, body: { quantity: 0 }, expect: 400 });
  await play(customer, { method: "PUT", path: `${cart}/items/${first!.id}`, body: { quantity: 2 }, expect: 200 });
  await play(customer, { method: "PUT", path: `${cart}/items/${second!.id}`, body: { quantity: 1 }, expect: 200 });
  const { body: filled } = await play<Cart>(customer, { method: "GET", path: cart, expect: 200 });

  const headers = { "idempotency-key": "first-checkout" };
  const checkout = {
    method: "POST",
    path: "/v1/orders",
    body: { expectedTotal: filled.total },
    headers,
    expect: 201,
  } as const;
  const placed = await play<Order>(customer, checkout);
  showNote("The network failed, perhaps? Sent again with the same key, it is the same order.");
  const replayed = await play<Order>(customer, checkout);
  expectThat(replayed.headers.get("idempotent-replayed") === "true", "the second answer is marked as a replay");
  expectThat(replayed.body.id === placed.body.id, "the second answer is the first order");

  showNote("order.created goes to catalog, which sells the stock; stock.committed comes back and confirms the order.");
  const { body: confirmed } = await orderIs({ playUntil }, customer, placed.body.id, "confirmed");
  const history = await play<Page<Order>>(customer, {
    method: "GET",
    path: "/v1/orders?fields=id,status,total,currency",
    expect: 200,
  });
  expectThat(history.body.data.length === 1, "the history has exactly this one order");
  return confirmed;
}

/** Buys two, cancels, and sees the stock come back. */
export async function changeMind(
  { play, playUntil }: Stage,
  customer: Customer,
  { id: productId }: Product,
): Promise<Order> {
  showChapter("They buy more, and change their mind");
  const shelf = { method: "GET", path: `/v1/products/${productId}?fields=id,stock`, expect: 200 } as const;
  const stockIs = (stock: number) => ({
    what: `The stock is ${stock} again (if nobody else buys at this moment)`,
    holds: (body: Pick<Product, "stock">) => body.stock === stock,
  });
  const before = await play<Pick<Product, "stock">>(customer, shelf);
  const placed = await play<Order>(customer, {
    method: "POST",
    path: `/v1/users/${customer.id}/orders`,
    body: { items: [{ productId, quantity: 2 }] },
    headers: { "idempotency-key": "second-thoughts" },
    expect: 201,
  });
  const { body: current } = await orderIs({ playUntil }, customer, placed.body.id, "confirmed");
  await playUntil(customer, shelf, stockIs(before.body.stock - 2));
  const cancelled = await play<Order>(customer, {
    method: "PATCH",
    path: `/v1/orders/${placed.body.id}`,
    body: { status: "cancelled", version: current.version },
    expect: 200,
  });
  await playUntil(customer, shelf, stockIs(before.body.stock));
  return cancelled.body;
}

export async function leave({ play }: Stage, customer: Customer): Promise<void> {
  showChapter("They stay a while, and leave");
  const refresh = (refreshToken: string, expect: number) =>
    play<Tokens>(customer, { method: "POST", path: "/auth/refresh", body: { refreshToken }, expect });
  const { body: next } = await refresh(customer.tokens.refreshToken, 200);
  showNote("A refresh token works once. Who lost the answer may ask again for ten seconds, and gets the same one.");
  const { body: again } = await refresh(customer.tokens.refreshToken, 200);
  expectThat(again.refreshToken === next.refreshToken, "the retry gets the same successor");
  customer.token = next.accessToken;
  await play(customer, {
    method: "POST",
    path: "/auth/logout",
    body: { refreshToken: next.refreshToken },
    expect: 204,
  });
  showNote("Nothing of the session works any more, the access token included.");
  await refresh(next.refreshToken, 401);
  await play(customer, { method: "GET", path: "/v1/users/me", expect: 401 });
}

async function orderIs({ playUntil }: Pick<Stage, "playUntil">, person: Person, id: string, status: Order["status"]) {
  return playUntil<Order>(
    person,
    { method: "GET", path: `/v1/orders/${id}`, expect: 200 },
    { what: `The order becomes ${status}`, holds: (body) => body.status === status },
  );
}
