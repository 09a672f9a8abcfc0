// Messages of any length on the wire: how their rest is let come, and sent.

import type { FrameWriter } from "./frame-writer.ts";
import { type Kind, kinds, messageBytesMax, payloadBytesMax, senseless } from "./frames.ts";

/** How many long messages may come at the same time; together with their length it bounds what a connection holds. */
const longMax = 4;

export interface Incoming {
  /**
   * The first part of a message of that length. `whole` is called with all of it: at once where it is all, later where
   * the rest is let come.
   */
  begin(stream: number, length: number, first: Buffer, whole: (message: Buffer) => void): void;
  data(stream: number, part: Buffer): void;
  /** Nobody waits for its rest any more. */
  drop(stream: number): void;
}

interface Long {
  readonly bytes: Buffer;
  at: number;
  readonly whole: (message: Buffer) => void;
}

export function createIncoming({ write }: FrameWriter): Incoming {
  const waiting = new Map<number, () => Long>();
  const coming = new Map<number, Long>();
  const isUnderWay = (stream: number) => waiting.has(stream) || coming.has(stream);
  const letCome = () => {
    for (const [stream, start] of waiting) {
      if (coming.size >= longMax) return;
      waiting.delete(stream);
      coming.set(stream, start());
      write(kinds.go, stream, 0);
    }
  };
  return {
    begin(stream, length, first, whole) {
      if (length > messageBytesMax) throw senseless(`a message of ${length} bytes`);
      if (first.length > length) throw senseless("more than its length");
      if (isUnderWay(stream)) throw senseless("a message within another one");
      if (first.length === length) return whole(first);
      // A copy: until its turn comes no more than this is held.
      const kept = Buffer.from(first);
      waiting.set(stream, () => {
        const bytes = Buffer.allocUnsafeSlow(length);
        return { bytes, at: kept.copy(bytes), whole };
      });
      letCome();
    },
    data(stream, part) {
      const long = coming.get(stream);
      if (long === undefined) {
        if (waiting.has(stream)) throw senseless("data that was not let come");
        // Of a message that was dropped while this was on its way.
        return;
      }
      if (part.length === 0 || long.at + part.length > long.bytes.length) throw senseless("more than its length");
      long.at += part.copy(long.bytes, long.at);
      if (long.at < long.bytes.length) return;
      coming.delete(stream);
      letCome();
      long.whole(long.bytes);
    },
    drop(stream) {
      waiting.delete(stream);
      if (coming.delete(stream)) letCome();
    },
  };
}

export interface Outgoing {
  /** Sends a message; of a long one the rest when it is let go. `sent` is called when nothing of it is held here. */
  send(kind: Kind, stream: number, message: Message, sent?: () => void): void;
  go(stream: number): void;
  drop(stream: number): void;
  /** To be called when what waits to be sent has become less. */
  drained(): void;
}

export interface Message {
  /** JSON, or nothing. */
  readonly head: string;
  readonly body: string;
}

interface Rest {
  readonly bytes: Buffer;
  at: number;
  readonly sent: (() => void) | undefined;
}

/** The length of the body, then that of the head, then both. */
const lengthsBytes = 6;
export const messageHeadBytesMax = 16 * 1024;

export function readMessage(payload: Buffer): { head: string; length: number; first: Buffer } {
  if (payload.length < lengthsBytes) throw senseless("a message without its lengths");
  const headEnd = lengthsBytes + payload.readUInt16BE(4);
  if (headEnd > payload.length) throw senseless("a head beyond its frame");
  return {
    head: payload.toString("utf8", lengthsBytes, headEnd),
    length: payload.readUInt32BE(0),
    first: payload.subarray(headEnd),
  };
}

export function createOutgoing(writer: FrameWriter): Outgoing {
  const held = new Map<number, Rest>();
  const going = new Map<number, Rest>();
  /** A frame of each in turn, as long as there is room. */
  const sendOn = () => {
    while (going.size > 0 && !writer.isFull())
      for (const [stream, rest] of going) {
        const from = rest.at;
        rest.at = Math.min(rest.bytes.length, from + payloadBytesMax);
        writer.write(kinds.data, stream, rest.at - from, (into, at) => void rest.bytes.copy(into, at, from, rest.at));
        if (rest.at < rest.bytes.length) continue;
        going.delete(stream);
        rest.sent?.();
      }
  };
  return {
    send(kind, stream, { head, body }, sent) {
      const [headBytes, bodyBytes] = [Buffer.byteLength(head), Buffer.byteLength(body)];
      if (headBytes > messageHeadBytesMax) throw new Error(`The head of a message has ${headBytes} bytes`);
      if (bodyBytes > messageBytesMax) throw new Error(`A message has ${bodyBytes} bytes`);
      const room = payloadBytesMax - lengthsBytes - headBytes;
      const writeHead = (into: Buffer, at: number) => {
        into.writeUInt32BE(bodyBytes, at);
        into.writeUInt16BE(headBytes, at + 4);
        if (headBytes > 0) into.write(head, at + lengthsBytes);
        return at + lengthsBytes + headBytes;
      };
      if (bodyBytes <= room) {
        writer.write(kind, stream, lengthsBytes + headBytes + bodyBytes, (into, at) => {
          into.write(body, writeHead(into, at));
        });
        sent?.();
        return;
      }
      const bytes = Buffer.from(body);
      writer.write(kind, stream, payloadBytesMax, (into, at) => void bytes.copy(into, writeHead(into, at), 0, room));
      held.set(stream, { bytes, at: room, sent });
    },
    go(stream) {
      const rest = held.get(stream);
      if (rest === undefined) return;
      held.delete(stream);
      going.set(stream, rest);
      sendOn();
    },
    drop(stream) {
      held.delete(stream);
      going.delete(stream);
    },
    drained: sendOn,
  };
}
