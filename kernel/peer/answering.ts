// The side of a kept connection that answers.

import type { Socket } from "node:net";
import type { Clock, Logger } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";
import type { Reply } from "./asking.ts";
import { createFrameReader, type Frame, kinds, messageBytesMax, senseless } from "./frames.ts";
import { createFrameWriter } from "./frame-writer.ts";
import { createIncoming, createOutgoing, type Message, readMessage } from "./messages.ts";

export interface Ask {
  /** What was said in the place of an HTTP request's head. */
  readonly head: string;
  readonly body: string;
  /** Aborts when who asks does not want to know any more. */
  readonly gone: AbortSignal;
}

export interface AnsweringOptions {
  /** Throws an Error that says why this is no proof. */
  prove(proof: string): void;
  /** Never rejects. */
  answer(ask: Ask): Promise<Reply>;
  /** Whether there is room for one more in this process; if so, `over` is called when it was answered. */
  begin(): boolean;
  over(): void;
  clock: Clock;
  log: Logger;
}

export interface Answering {
  /** Has who asks ask elsewhere from now on; what comes is answered. */
  leave(): void;
}

const unansweredMax = 1_024;
const helloMs = 5_000;
/** Who asks leaves after less (kept-wires.ts). After the second no proof that was given here counts for anything. */
const leaveAfterMs = 120_000;
const endAfterMs = 120_000;
const keepAliveMs = 30_000;

interface Open {
  readonly gone: AbortController;
  state: "coming" | "running" | "answering";
}

export function answerWire(socket: Socket, received: Buffer, options: AnsweringOptions): Answering {
  const { clock, log } = options;
  const open = new Map<number, Open>();
  let [lastStream, isProven]: [number, boolean] = [0, false];
  const writer = createFrameWriter(socket);
  const [incoming, outgoing] = [createIncoming(writer), createOutgoing(writer)];

  const send = (kind: typeof kinds.answer | typeof kinds.refuse, stream: number, message: Message) => {
    outgoing.send(kind, stream, message, () => open.delete(stream));
    // Who does not read is not read from.
    if (writer.isFull()) socket.pause();
  };
  const reply = (stream: number, { status, text }: Reply) => {
    if (status !== 200) refuse(stream, status, text);
    else if (Buffer.byteLength(text) > messageBytesMax) refuse(stream, errors.unavailable.status, "Too long");
    else send(kinds.answer, stream, { head: "", body: text });
  };
  const refuse = (stream: number, status: number, why: string) =>
    send(kinds.refuse, stream, { head: String(status), body: why });
  const run = async (stream: number, one: Open, head: string, body: Buffer) => {
    one.state = "running";
    const answer = await options.answer({ head, body: body.toString(), gone: one.gone.signal });
    options.over();
    one.state = "answering";
    if (one.gone.signal.aborted) open.delete(stream);
    else reply(stream, answer);
  };
  const ask = (stream: number, payload: Buffer) => {
    if (stream <= lastStream) throw senseless("a stream that was used before");
    lastStream = stream;
    const { head, length, first } = readMessage(payload);
    if (open.size >= unansweredMax || !options.begin()) return refuse(stream, errors.unavailable.status, "Busy");
    const one: Open = { gone: new AbortController(), state: "coming" };
    open.set(stream, one);
    incoming.begin(stream, length, first, (whole) => void run(stream, one, head, whole));
  };
  const cancel = (stream: number) => {
    const one = open.get(stream);
    if (one === undefined) return;
    incoming.drop(stream);
    outgoing.drop(stream);
    // Its place is taken until its work has ended.
    if (one.state === "running") return one.gone.abort(callerGone());
    open.delete(stream);
    if (one.state === "coming") options.over();
  };
  const read = createFrameReader(({ kind, stream, payload }: Frame) => {
    if (!isProven) {
      if (kind !== kinds.hello) throw senseless("no hello");
      options.prove(readMessage(payload).head);
      isProven = true;
    } else if (kind === kinds.ask) ask(stream, payload);
    else if (stream > lastStream) throw senseless("of nothing that was asked");
    else if (kind === kinds.data) incoming.data(stream, payload);
    else if (kind === kinds.go) outgoing.go(stream);
    else if (kind === kinds.cancel) cancel(stream);
    else throw senseless("what only who answers says");
  });
  const onData = (bytes: Buffer) => {
    try {
      read(bytes);
    } catch (err) {
      log.warn({ err }, "A wire of a peer was cut");
      socket.destroy();
    }
  };
  const leave = () => {
    if (!socket.destroyed) writer.write(kinds.leave, 0, 0);
  };

  const closed = new AbortController();
  socket.setNoDelay(true);
  socket.setTimeout(0);
  socket.setKeepAlive(true, keepAliveMs);
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  socket.on("drain", () => {
    outgoing.drained();
    socket.resume();
  });
  socket.once("close", () => {
    closed.abort("closed");
    for (const stream of open.keys()) cancel(stream);
  });
  void limitLife(closed.signal);
  socket.on("data", onData);
  if (received.length > 0) onData(received);
  return { leave };

  async function limitLife(isClosed: AbortSignal): Promise<void> {
    await clock.sleep(helloMs, isClosed);
    // A process that was kept from running learns first that the time is over, and only then what has long been there.
    await clock.sleep(0, isClosed);
    if (!isProven) socket.destroy();
    await clock.sleep(leaveAfterMs - helloMs, isClosed);
    leave();
    await clock.sleep(endAfterMs, isClosed);
    socket.destroy();
  }
}

function callerGone(): Failure {
  return new Failure(errors.unavailable, "The caller went away");
}
