import { AsyncLocalStorage } from "node:async_hooks";
import { conflict, Failure, type In, invalid } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import { type Context, implement, on } from "ashlar/service";
import { answerer, asker, counted } from "./contract.ts";

const migrations = new URL("./migrations/", import.meta.url);
const note = (tx: Tx, words: string) => tx.query("insert into notes (words) values ($1)", [words]);
const aggregateId = "not_01h455vb4pex5vsknk084sn02q";

/** @param joins - whether a transaction is taken from the caller where there is one: a mistake, to be found. */
export function mirrorServices({ joins = false } = {}) {
  const open = new AsyncLocalStorage<Tx>();
  const within = (ctx: Context, run: (tx: Tx) => Promise<void>) => {
    const joined = joins ? open.getStore() : undefined;
    return joined === undefined ? ctx.transaction((tx) => open.run(tx, () => run(tx))) : run(joined);
  };
  return [answererService(within), askerService(within)];
}

type Within = (ctx: Context, run: (tx: Tx) => Promise<void>) => Promise<void>;
type Answerer = typeof answerer.operations;
type Asker = typeof asker.operations;

class Broken extends Error {
  readonly secret = "of the inside";
}

function answererService(within: Within) {
  let kept: string[] = [];
  // JSON has none of them, and no type lets them through: a handler that is wrong about its values answers one.
  const values = { plain: "text", date: new Date(0), undefined, bigint: 12n } as Record<string, unknown>;
  const failures = {
    refused: () => conflict("Not now", { cause: new Broken("inside") }),
    detailed: () => invalid([{ field: "body.words", message: "are too many" }]),
    broken: () => new Broken("inside"),
  };
  return implement(answerer, {
    migrations,
    subscribers: [on(counted, async (_, { data }, tx) => void (await note(tx, String(data.number))))],
    handlers: {
      async keep(_, { body }: In<Answerer["keep"]>) {
        kept = body.words;
        kept.push("kept");
        return { words: kept };
      },
      kept: async () => ({ words: kept }),
      value: async (_, { params }: In<Answerer["value"]>) => ({ value: values[params.kind] as string }),
      async fail(_, { params }: In<Answerer["fail"]>) {
        throw failures[params.failure]();
      },
      remaining: async (ctx) => ({ seen: String(ctx.deadline.remainingMs()) }),
      who: async (ctx) => ({ seen: JSON.stringify([ctx.caller, ctx.requestId === "", ctx.traceparent?.length]) }),
      async write(ctx) {
        await within(ctx, async (tx) => void (await note(tx, "of the called")));
        return { seen: "written" };
      },
      async heard(ctx) {
        const { rows } = await ctx.db.query<{ words: string }>("select words from notes order by place");
        return { words: rows.map((row) => row.words) };
      },
    },
  });
}

function askerService(within: Within) {
  const { operations } = answerer;
  return implement(asker, {
    migrations,
    handlers: {
      async exchange(ctx) {
        const sent = ["sent"];
        const answer = await ctx.call(operations.keep, { body: { words: sent } });
        sent.push("changed by who sent it");
        answer.words.push("changed by who got it");
        const { words } = await ctx.call(operations.kept, {});
        return { seen: JSON.stringify({ sent, words }) };
      },
      async value(ctx, { params }: In<Asker["value"]>) {
        const answer: Record<string, unknown> = await ctx.call(operations.value, { params });
        const { value } = answer;
        return { seen: JSON.stringify([typeof value, String(value), Object.keys(answer)]) };
      },
      async failure(ctx, { params }: In<Asker["failure"]>) {
        const error: unknown = await ctx.call(operations.fail, { params }).catch((thrown: unknown) => thrown);
        return { seen: shapeOf(error) };
      },
      failThrough: (ctx, { params }: In<Asker["failThrough"]>) => ctx.call(operations.fail, { params }),
      remaining: (ctx) => ctx.call(operations.remaining, {}),
      who: (ctx) => ctx.call(operations.who, {}),
      write: (ctx) =>
        within(ctx, async (tx) => {
          await note(tx, "of the caller");
          await ctx.call(operations.write, {});
          throw conflict("The caller thought better of it");
        }),
      count: (ctx) =>
        ctx.transaction(async (tx) => {
          for (const number of [1, 2, 3, 4, 5]) await ctx.emit(tx, counted, { aggregateId, data: { number } });
        }),
      heard: (ctx) => ctx.call(operations.heard, {}),
    },
  });
}

function shapeOf(error: unknown): string {
  const { constructor, message, cause } = error as Error;
  const { code, status, details } = error as Partial<Failure>;
  return JSON.stringify([
    constructor.name,
    error instanceof Failure,
    message,
    cause !== undefined,
    code,
    status,
    details,
  ]);
}
