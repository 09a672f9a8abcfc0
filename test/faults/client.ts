// A customer's client: it asks again with the same Idempotency-Key until an answer says what became of the checkout.

import type { Checkout } from "./plan.ts";
import { setTimeout as pause } from "node:timers/promises";
import type { Shop } from "./shop.ts";

/** What ended one try without telling the client what became of its checkout: `503 UNAVAILABLE`, `ECONNREFUSED`. */
export type Trouble = string;

export interface Placed {
  readonly checkout: Checkout;
  /** 201, or the status of the refusal; undefined when nobody answered in `patienceMs`. */
  readonly status: number | undefined;
  /** The bytes of the answer. */
  readonly text: string;
  /** Of the order. */
  readonly id: string | undefined;
  readonly cancelled: boolean;
  readonly tookMs: number;
}

export interface ClientOptions {
  shop: Shop;
  onTrouble(trouble: Trouble): void;
}

const attemptMs = 10_000;
const patienceMs = 180_000;
const againMinMs = 20;
const againMaxMs = 400;

interface Answer {
  status: number;
  text: string;
  headers: Headers;
  code: string | undefined;
}

export async function place(options: ClientOptions, checkout: Checkout): Promise<Placed> {
  const startMs = performance.now();
  const answer = await untilAnswered(options, () => askForOrder(options.shop, checkout));
  const id = answer?.status === 201 ? (JSON.parse(answer.text) as { id: string }).id : undefined;
  const tookMs = performance.now() - startMs;
  const cancelled = id !== undefined && checkout.cancels && (await cancel(options, checkout, id));
  return { checkout, status: answer?.status, text: answer?.text ?? "", id, cancelled, tookMs };
}

/** Asks once more for an order that was placed: whether the same bytes come back, marked as a repetition. */
export async function isReplayed(options: ClientOptions, { checkout, text }: Placed): Promise<boolean> {
  const answer = await untilAnswered(options, () => askForOrder(options.shop, checkout));
  return answer?.status === 201 && answer.text === text && answer.headers.get("idempotent-replayed") === "true";
}

function askForOrder(shop: Shop, { key, customer, lines }: Checkout): Promise<Answer> {
  const items = lines.map(({ product, quantity }) => ({ productId: shop.products[product], quantity }));
  return ask(shop, customer, "POST", "/v1/orders", { items }, { "idempotency-key": key });
}

/** Whoever cancels has no key, only the version: a lost answer is looked up. False when it was not cancelled. */
async function cancel(options: ClientOptions, { customer }: Checkout, id: string): Promise<boolean> {
  const path = `/v1/orders/${id}`;
  const startMs = performance.now();
  while (performance.now() - startMs < patienceMs) {
    const now = await untilAnswered(options, () => ask(options.shop, customer, "GET", path));
    if (now?.status !== 200) return false;
    const { status, version } = JSON.parse(now.text) as { status: string; version: number };
    if (status === "cancelled") return true;
    await untilAnswered(options, () => ask(options.shop, customer, "PATCH", path, { status: "cancelled", version }));
  }
  return false;
}

async function untilAnswered(options: ClientOptions, attempt: () => Promise<Answer>): Promise<Answer | undefined> {
  const startMs = performance.now();
  for (let againMs = againMinMs; ; againMs = Math.min(againMs * 2, againMaxMs)) {
    const answer = await attempt().catch((error: unknown) => options.onTrouble(troubleOf(error)));
    if (answer !== undefined && isFinal(answer)) return answer;
    if (answer !== undefined) options.onTrouble(`${answer.status} ${answer.code ?? ""}`);
    if (performance.now() - startMs > patienceMs) return undefined;
    await pause(againMs);
  }
}

function isFinal({ status, code }: Answer): boolean {
  return status < 500 && code !== "IDEMPOTENCY_IN_PROGRESS";
}

async function ask(
  { url, customers }: Shop,
  customer: number,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: customers[customer]!,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(attemptMs),
  });
  const text = await response.text();
  const { error } = (text === "" ? {} : JSON.parse(text)) as { error?: { code: string } };
  return { status: response.status, text, headers: response.headers, code: error?.code };
}

/** fetch says "fetch failed", and why in the cause. */
function troubleOf(error: unknown): Trouble {
  const { cause, name } = error as { cause?: { code?: string }; name: string };
  return name === "TimeoutError" ? `no answer in ${attemptMs / 1_000} s` : (cause?.code ?? name);
}
