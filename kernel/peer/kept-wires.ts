// The kept connections of a process to the services elsewhere.
//
// Nobody waits for one: it is opened beside the first request for a service, which goes by HTTP, as does everything
// for as long as there is none. So whoever speaks HTTP only is served, and a service that is not there is found out
// about in one way.

import type { Clock, Random } from "../base/index.ts";
import { type Asking, createAsking } from "./asking.ts";
import { openWire } from "./opening.ts";
import type { PeerTokens } from "./tokens.ts";
import type { PeerTls } from "./wire.ts";

export interface KeptWires {
  /** One that takes one more, if there is one; sees to it that there soon is. */
  to(service: string): Asking | undefined;
  /** Resolves when it is known whether there is one. */
  opened(service: string): Promise<boolean>;
  close(): void;
}

export interface KeptWiresOptions {
  urlOf(service: string): string;
  tokens: PeerTokens;
  tls: PeerTls | undefined;
  clock: Clock;
  random: Random;
}

interface Kept {
  readonly service: string;
  wires: { asking: Asking; openedAtMs: number }[];
  opening: Promise<void> | undefined;
  notBeforeMs: number;
}

/** As long as a token. What is behind one address may be many processes, too, and is met anew. */
const ageMsMax = 60_000;
const openingMsMax = 10_000;
/** After it was not reached, and after it said that it speaks HTTP only. */
const againMs = { unreached: 1_000, declined: 30_000 };
/** Another one is opened when so many wait on each: for more than one process behind one address. */
const unansweredPerWire = 32;
const wiresMax = 4;

export function createKeptWires(options: KeptWiresOptions): KeptWires {
  const { clock } = options;
  const services = new Map<string, Kept>();
  const closed = new AbortController();
  const keptOf = (service: string) => {
    let kept = services.get(service);
    if (kept === undefined) services.set(service, (kept = { service, wires: [], opening: undefined, notBeforeMs: 0 }));
    return kept;
  };
  const open = async (kept: Kept) => {
    const { service } = kept;
    const over = new AbortController();
    const signal = AbortSignal.any([closed.signal, over.signal]);
    void clock.sleep(openingMsMax, signal).then(() => over.abort("too late"));
    let pauseMs = againMs.unreached;
    try {
      const opened = await openWire({ ...options, service, origin: options.urlOf(service), signal });
      if (opened === undefined) pauseMs = againMs.declined;
      else if (closed.signal.aborted) opened.socket.destroy();
      else {
        const asking = createAsking(opened.socket, opened.received, opened.proof);
        kept.wires.push({ asking, openedAtMs: clock.nowMs() });
        pauseMs = 0;
      }
    } catch {
      // Those who ask by HTTP meanwhile hear why.
    } finally {
      over.abort("over");
      kept.notBeforeMs = clock.nowMs() + pauseMs;
      kept.opening = undefined;
    }
  };
  const openSoon = (kept: Kept) => {
    if (kept.opening === undefined && kept.notBeforeMs <= clock.nowMs() && !closed.signal.aborted)
      kept.opening = open(kept);
  };
  return {
    to(service) {
      const kept = keptOf(service);
      const chosen = choose(kept, clock.nowMs() - ageMsMax);
      if (chosen.needsMore) openSoon(kept);
      return chosen.wire;
    },
    async opened(service) {
      const kept = keptOf(service);
      if (kept.wires.length === 0) openSoon(kept);
      await kept.opening;
      return choose(kept, 0).wire !== undefined;
    },
    close() {
      closed.abort("closed");
      for (const { wires } of services.values()) for (const { asking } of wires) asking.destroy();
    },
  };
}

/** The young one on which least waits; an old one as long as there is none. */
function choose(kept: Kept, oldBeforeMs: number): { wire: Asking | undefined; needsMore: boolean } {
  let wire: Asking | undefined;
  let [least, isOld] = [0, true];
  for (const { asking, openedAtMs } of kept.wires) {
    if (!asking.isOpen()) {
      if (asking.isOver()) kept.wires = kept.wires.filter((other) => other.asking !== asking);
      continue;
    }
    const [old, unanswered] = [openedAtMs <= oldBeforeMs, asking.unanswered()];
    if (wire !== undefined && (old || (!isOld && unanswered >= least))) continue;
    [wire, least, isOld] = [asking, unanswered, old];
  }
  if (!isOld && kept.wires.length > 1) leaveOld(kept, oldBeforeMs);
  return { wire, needsMore: isOld || (least >= unansweredPerWire && kept.wires.length < wiresMax) };
}

function leaveOld({ wires }: Kept, oldBeforeMs: number): void {
  for (const { asking, openedAtMs } of wires) if (openedAtMs <= oldBeforeMs) asking.leave();
}
