// How a kept connection begins: as a request that asks to speak something else (RFC 9110, 7.8), at the port where
// the service is asked by HTTP.
//
//   GET /.ashlar/wire/catalog           Ashlar-Peer: a token for catalog, with a word of the asker's
//   101 Switching Protocols             Ashlar-Peer: a token with that word, and one of the answerer's
//   hello                               a token with that word
//
// So each has shown the other, on this connection, that it has the secret of the system: what was overheard of another
// connection opens none.

import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import type { Random } from "../base/index.ts";
import { peerHeader, type PeerTokens } from "./tokens.ts";
import type { PeerTls } from "./wire.ts";

export const wireProtocol = "ashlar-wire/1";
const openUse = "open a wire";

export function wirePath(service: string): string {
  return `/.ashlar/wire/${service}`;
}

export interface Opened {
  readonly socket: Socket;
  /** What came behind the 101. */
  readonly received: Buffer;
  readonly proof: string;
}

export interface OpeningOptions {
  service: string;
  origin: string;
  tokens: PeerTokens;
  random: Random;
  tls: PeerTls | undefined;
  signal: AbortSignal;
}

/** Undefined: who is there speaks HTTP only. Rejects when nobody answers, or an impostor. */
export async function openWire(options: OpeningOptions): Promise<Opened | undefined> {
  const { service, tokens } = options;
  const word = wordOf(options.random);
  const headers = {
    connection: "Upgrade",
    upgrade: wireProtocol,
    [peerHeader]: tokens.sign(service, { use: openUse, word }),
  };
  const url = new URL(wirePath(service), options.origin);
  const { signal, tls } = options;
  const asked =
    url.protocol === "https:"
      ? requestHttps(url, { ...tls, minVersion: "TLSv1.2", agent: false, headers, signal })
      : requestHttp(url, { agent: false, headers, signal });
  const upgraded = await upgradeOf(asked);
  if (upgraded === undefined) return undefined;
  const { answer, socket, received } = upgraded;
  try {
    const claims = tokens.read(answer.headers[peerHeader] as string | undefined, answererOf(service), useOfWord(word));
    return { socket, received, proof: tokens.sign(service, { use: useOfWord(String(claims["word"])) }) };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function upgradeOf(asked: ClientRequest) {
  return new Promise<{ answer: IncomingMessage; socket: Socket; received: Buffer } | undefined>((resolve, reject) => {
    asked.on("upgrade", (answer, socket, received) => {
      socket.on("error", () => socket.destroy());
      resolve({ answer, socket, received });
    });
    asked.on("response", (answer) => {
      answer.destroy();
      // One that ends, or has too much to do.
      if (answer.statusCode! >= 500) reject(new Error(`It answered ${answer.statusCode}`));
      else resolve(undefined);
    });
    asked.on("error", reject);
    asked.end();
  });
}

export interface Answerer {
  /** Goes with the 101. */
  readonly token: string;
  /** Throws what is wrong with what was said for hello. */
  prove(proof: string): void;
}

/** Throws an Error when who asks for a wire to this service is no peer. */
export function meetAsker(tokens: PeerTokens, random: Random, service: string, token: string | undefined): Answerer {
  const asked = tokens.read(token, service, openUse);
  const word = wordOf(random);
  return {
    token: tokens.sign(answererOf(service), { use: useOfWord(String(asked["word"])), word }),
    prove: (proof) => void tokens.read(proof, service, useOfWord(word)),
  };
}

/** No service has such a name, so no token for one is taken for the other. */
function answererOf(service: string): string {
  return `whoever asks ${service}`;
}

function useOfWord(word: string): string {
  return `wire ${word}`;
}

function wordOf(random: Random): string {
  return Buffer.from(random.bytes(16)).toString("base64url");
}
