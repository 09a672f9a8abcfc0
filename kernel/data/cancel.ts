// A statement on a shared connection, and how it is cancelled when nobody waits for it any more.
//
// A request to cancel hits what the connection does when it arrives. So it is sent when the turn of the unwanted
// statement has come, and the connection gets no new ones; whatever else it hits had no effect and may run again.

import type pg from "pg";
import type { Clock } from "../base/index.ts";
import { requestCancel, send } from "./connection.ts";
import { orAbort } from "./or-abort.ts";
import { isCanceled } from "./pg-errors.ts";
import type { QueryResult, Row, Statement } from "./queryable.ts";

/** How long a statement that nobody waits for may still take. Most end in it, and cost no connection. */
const cancelAfterMs = 25;
const cancelAgainMs = 50;

interface Sent {
  isUnwanted: boolean;
  isCanceled: boolean;
}

interface Line {
  /** What is not answered yet, in the order in which it will be. */
  readonly sent: Set<Sent>;
  /** Whether any statement may be hit by a request to cancel. */
  isCanceled: boolean;
}

const lines = new WeakMap<pg.Client, Line>();

/** The request to cancel another statement on the connection may have hit this one. */
export class CanceledByMistake extends Error {
  constructor(cause: unknown) {
    super("The statement was cancelled instead of another", { cause });
  }
}

export interface Surrounding {
  clock: Clock;
  /** Takes the connection out of use. */
  retire(): void;
}

/** Sends a statement; when the signal aborts, rejects with its reason and sees to it that the statement ends. */
export async function sendWithin<R extends Row>(
  client: pg.Client,
  [sql, values]: [Statement, readonly unknown[] | undefined],
  signal: AbortSignal | undefined,
  surrounding: Surrounding,
): Promise<QueryResult<R>> {
  const line = lineOf(client);
  const sent = { isUnwanted: false, isCanceled: false };
  line.sent.add(sent);
  const answered = send<R>(client, sql, values)
    .catch((error: unknown) => {
      throw isCanceled(error) && line.isCanceled ? new CanceledByMistake(error) : error;
    })
    .finally(() => {
      line.sent.delete(sent);
      cancelUnwanted(client, line, surrounding.clock);
    });
  try {
    return await orAbort(answered, signal);
  } catch (error) {
    if (signal?.aborted) void cancelLater(client, line, sent, surrounding);
    throw error;
  }
}

function lineOf(client: pg.Client): Line {
  let line = lines.get(client);
  if (line === undefined) lines.set(client, (line = { sent: new Set(), isCanceled: false }));
  return line;
}

async function cancelLater(client: pg.Client, line: Line, sent: Sent, { clock, retire }: Surrounding): Promise<void> {
  await clock.sleep(cancelAfterMs);
  if (!line.sent.has(sent)) return;
  sent.isUnwanted = true;
  retire();
  cancelUnwanted(client, line, clock);
}

function cancelUnwanted(client: pg.Client, line: Line, clock: Clock): void {
  const [running] = line.sent;
  if (running === undefined || !running.isUnwanted || running.isCanceled) return;
  running.isCanceled = true;
  line.isCanceled = true;
  void cancelUntilEnded(client, line, running, clock);
}

/** A request that arrives just before the statement begins is lost, so it is made until the statement has ended. */
async function cancelUntilEnded(client: pg.Client, line: Line, running: Sent, clock: Clock): Promise<void> {
  while (line.sent.has(running)) {
    requestCancel(client);
    await clock.sleep(cancelAgainMs);
  }
}
