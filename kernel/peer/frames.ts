// The frames of the wire: what two processes say to each other on one kept connection.
//
//   4 bytes  length of the payload         asker                    answerer
//   1 byte   kind                          hello: its proof
//   4 bytes  stream                        ask: head, body      ->
//   ...      payload                                           <-   answer, or refuse
//                                          data                <->  data, after go
//                                          cancel              <->  go, leave
//
// A message is a frame, up to 64 KiB. The rest of a longer one comes as data, when the other side has said `go`: so
// nobody is sent more than was let come. Numbers are big-endian. Whatever breaks these rules ends the connection:
// a peer that cannot count cannot be understood either.

export const kinds = { hello: 1, ask: 2, answer: 3, refuse: 4, data: 5, go: 6, cancel: 7, leave: 8 } as const;
export type Kind = (typeof kinds)[keyof typeof kinds];

export interface Frame {
  readonly kind: Kind;
  /** Counted up by who asks; 0 for what is about the connection. */
  readonly stream: number;
  /** Good until the next one. */
  readonly payload: Buffer;
}

export const frameHeadBytes = 9;
export const payloadBytesMax = 64 * 1024;
/** As much as HTTP between processes takes (peer-handler.ts, wire.ts). */
export const messageBytesMax = 32 * 1024 * 1024;
const streamMax = 0x7fff_ffff;
const kindMax = kinds.leave;

/** What was said makes no sense: the connection ends. */
export function senseless(what: string): Error {
  return new Error(`What came on the wire is none of it: ${what}`);
}

/**
 * Gets bytes as they come, cut anywhere, and says what frames they were. Throws at the first senseless one, and is not
 * to be used after that. Holds one frame at most.
 */
export function createFrameReader(onFrame: (frame: Frame) => void): (bytes: Buffer) => void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let neededBytes = frameHeadBytes;
  return (bytes) => {
    let rest = bytes;
    if (heldBytes > 0) {
      held.push(bytes);
      heldBytes += bytes.length;
      if (heldBytes < neededBytes) return;
      rest = Buffer.concat(held, heldBytes);
      held = [];
      heldBytes = 0;
    }
    let at = 0;
    neededBytes = frameHeadBytes;
    while (rest.length - at >= frameHeadBytes) {
      const end = at + frameHeadBytes + payloadLength(rest, at);
      if (end > rest.length) {
        neededBytes = end - at;
        break;
      }
      onFrame({
        kind: rest[at + 4] as Kind,
        stream: rest.readUInt32BE(at + 5),
        payload: rest.subarray(at + frameHeadBytes, end),
      });
      at = end;
    }
    if (at === rest.length) return;
    held = [at === 0 ? rest : rest.subarray(at)];
    heldBytes = rest.length - at;
  };
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at);
  const kind = bytes[at + 4]!;
  if (length > payloadBytesMax) throw senseless(`a frame of ${length} bytes`);
  if (kind === 0 || kind > kindMax) throw senseless(`a frame of kind ${kind}`);
  if (bytes.readUInt32BE(at + 5) > streamMax) throw senseless("a stream beyond the last");
  return length;
}

export function writeFrameHead(into: Buffer, at: number, kind: Kind, stream: number, payloadBytes: number): void {
  into.writeUInt32BE(payloadBytes, at);
  into[at + 4] = kind;
  into.writeUInt32BE(stream, at + 5);
}
