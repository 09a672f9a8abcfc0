// What other processes of the system ask of the services in this one, on a connection that is kept.
//
// Who opens one has shown a token for one service; on it that one is asked, and no other.

import type { IncomingMessage } from "node:http";
import { credentialsMissing } from "../auth/index.ts";
import type { Random } from "../base/index.ts";
import { errors, Failure, notFound } from "../contract/index.ts";
import { type Accepted, errorAnswer, type Upgrade } from "../http/index.ts";
import { type Ask, answerWire, meetAsker, peerHeader, type Reply, wirePath, wireProtocol } from "../peer/index.ts";
import { createPeerWork, outcomeText, type PeerOptions, type PeerWork } from "./peer-work.ts";

export interface PeerUpgradeOptions extends PeerOptions {
  random: Random;
}

export function createPeerUpgrade(options: PeerUpgradeOptions): Upgrade {
  const work = createPeerWork(options);
  const services = new Map([...options.services.keys()].map((name) => [wirePath(name), name]));
  return {
    protocol: wireProtocol,
    isAt: (path) => services.has(path),
    accept: (request) => accept(options, work, services.get(request.url!)!, request),
  };
}

function accept(
  options: PeerUpgradeOptions,
  work: ReadonlyMap<string, PeerWork>,
  service: string,
  { headers }: IncomingMessage,
): Accepted {
  const { tokens, random, clock, log } = options;
  let met: ReturnType<typeof meetAsker>;
  try {
    met = meetAsker(tokens, random, service, headers[peerHeader] as string | undefined);
  } catch (cause) {
    log.warn({ err: cause }, "A peer was refused");
    throw new Failure(errors.unauthenticated, "Only for services of this system", {
      headers: credentialsMissing().headers,
      cause,
    });
  }
  return {
    headers: ["Ashlar-Peer", met.token],
    open: (socket, received, { begin, over }) =>
      answerWire(socket, received, {
        prove: met.prove,
        answer: (ask) => answer(options, work, service, ask),
        begin,
        over,
        clock,
        log,
      }),
  };
}

async function answer(
  { log }: PeerUpgradeOptions,
  works: ReadonlyMap<string, PeerWork>,
  service: string,
  { head, body, gone }: Ask,
): Promise<Reply> {
  try {
    const claims = JSON.parse(head) as Readonly<Record<string, unknown>>;
    const work = works.get(String(claims["path"]));
    if (work?.audience !== service) throw notFound();
    return { status: 200, text: await outcomeText(work, body, claims, gone, log) };
  } catch (error) {
    log.warn({ err: error }, "A peer was refused");
    const { status, body: text } = errorAnswer(error, "");
    return { status, text: String(text) };
  }
}
