// The side of a kept connection that asks.

import type { Socket } from "node:net";
import { createFrameReader, type Frame, kinds, senseless } from "./frames.ts";
import { createFrameWriter } from "./frame-writer.ts";
import { createIncoming, createOutgoing, readMessage } from "./messages.ts";
import type { Limits } from "./wire.ts";

export interface Reply {
  /** 200, or that of an HTTP answer that refuses. */
  readonly status: number;
  readonly text: string;
}

export interface Asking {
  /** Rejects with what the signal was aborted with, or an Error that says why the connection broke. */
  ask(head: string, body: string, limits: Limits): Promise<Reply>;
  /** Whether it takes one more. */
  isOpen(): boolean;
  /** Whether nothing comes of it any more. */
  isOver(): boolean;
  /** How many are not answered. */
  unanswered(): number;
  /** Asks no more on it; it ends when all is answered. */
  leave(): void;
  /** Now, whatever is not answered. */
  destroy(): void;
}

interface Asked {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** Within what an answerer takes (answering.ts), so that none is refused. */
const unansweredMax = 1_000;

/** @param proof - says hello; the connection counts as open from then on. */
export function createAsking(socket: Socket, received: Buffer, proof: string): Asking {
  const open = new Map<number, Asked>();
  let [lastStream, isLeaving]: [number, boolean] = [0, false];
  let broken: Error | undefined;
  const writer = createFrameWriter(socket);
  const [incoming, outgoing] = [createIncoming(writer), createOutgoing(writer)];

  const leave = () => {
    isLeaving = true;
    if (open.size === 0) socket.end();
  };
  const forget = (stream: number) => {
    open.delete(stream);
    outgoing.drop(stream);
    if (isLeaving && open.size === 0) socket.end();
  };
  const settle = (stream: number, status: number, text: string) => {
    open.get(stream)?.resolve({ status, text });
    forget(stream);
  };
  const read = createFrameReader(({ kind, stream, payload }: Frame) => {
    if (stream > lastStream) throw senseless("an answer to nothing");
    if (kind === kinds.leave) return leave();
    // Of what was given up, some may have been on its way.
    if (kind === kinds.data) return incoming.data(stream, payload);
    if (kind === kinds.go) return outgoing.go(stream);
    if (kind !== kinds.answer && kind !== kinds.refuse) throw senseless("what only who asks says");
    const { head, length, first } = readMessage(payload);
    const status = kind === kinds.answer ? 200 : Number(head);
    if (open.has(stream)) incoming.begin(stream, length, first, (whole) => settle(stream, status, whole.toString()));
  });
  const end = (error: Error) => {
    broken ??= error;
    isLeaving = true;
    for (const { reject } of open.values()) reject(broken);
    open.clear();
    socket.destroy();
  };
  const onData = (bytes: Buffer) => {
    try {
      read(bytes);
    } catch (error) {
      end(error as Error);
    }
  };

  socket.setNoDelay(true);
  socket.setTimeout(0);
  socket.on("error", (error) => end(error));
  socket.on("close", () => end(new Error("The connection was closed")));
  socket.on("drain", () => outgoing.drained());
  outgoing.send(kinds.hello, 0, { head: proof, body: "" });
  socket.on("data", onData);
  if (received.length > 0) onData(received);

  return {
    ask(head, body, { signal, remainingMs }) {
      return new Promise((resolve, reject) => {
        if (broken !== undefined) return reject(broken);
        if (signal.aborted) return reject(signal.reason as Error);
        const stream = ++lastStream;
        const bytesRead = socket.bytesRead;
        const onAbort = () => {
          incoming.drop(stream);
          forget(stream);
          if (!socket.destroyed) writer.write(kinds.cancel, stream, 0);
          // It may be that nobody is there any more, and the next one shall not wait as long to find out.
          if (socket.bytesRead === bytesRead && remainingMs() === 0) leave();
          reject(signal.reason as Error);
        };
        const settled = () => signal.removeEventListener("abort", onAbort);
        outgoing.send(kinds.ask, stream, { head, body });
        open.set(stream, {
          resolve(reply) {
            settled();
            resolve(reply);
          },
          reject(error) {
            settled();
            reject(error);
          },
        });
        signal.addEventListener("abort", onAbort);
      });
    },
    isOpen: () => !isLeaving && open.size < unansweredMax,
    isOver: () => broken !== undefined,
    unanswered: () => open.size,
    leave,
    destroy: () => end(new Error("The wire was closed")),
  };
}
