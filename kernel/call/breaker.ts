// Stops asking a service that is ill, and finds out when it is well again.
//
// It opens when ten calls in a row found the service ill, or half of those of the last ten seconds, if there were
// enough of them to say so: the first sees one that hangs at once, the second one that answers some. After a while a few calls at a time are let through as probes; the rest is still refused, so that a
// service that comes back is not met by everybody who waited.

import type { Clock } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";

/** What a call says about the service. A caller that gave up says neither. */
export type Verdict = "well" | "ill" | "neither";

interface Second {
  second: number;
  ill: number;
  all: number;
}

/** A call keeps the circuit it began under: what it says later is about that one and no other. */
export type Circuit =
  | { readonly state: "closed"; readonly seconds: Second[]; illInARow: number }
  | { readonly state: "open"; readonly untilMs: number }
  | { readonly state: "half-open"; probesLeft: number; well: number };

export interface Breaker {
  /** Throws 503 with Retry-After where a call would be refused. */
  check(): void;
  /** Throws as `check` does; else the call counts, and `end` wants to hear of it. */
  begin(): Circuit;
  end(circuit: Circuit, verdict: Verdict): void;
}

export interface BreakerOptions {
  service: string;
  clock: Clock;
  /** Called once for each change, never for a call. */
  onChange(state: Circuit["state"], counted: { ill: number; all: number }): void;
}

const windowSeconds = 10;
/** Fewer calls than this within the window are no ground to refuse the next. */
const callsMin = 10;
const illShare = 0.5;
const illInARowMax = 10;
const openMs = 5_000;
/** In flight at once while half open, and how many of them must find the service well. */
const probesMax = 3;

export function createBreaker(options: BreakerOptions): Breaker {
  const { clock, service } = options;
  let circuit: Circuit = closed();
  const change = (next: Circuit, counted = { ill: 0, all: 0 }) => {
    circuit = next;
    options.onChange(next.state, counted);
  };
  const check = () => {
    if (circuit.state === "closed") return;
    const nowMs = clock.nowMs();
    if (circuit.state === "open") {
      if (nowMs < circuit.untilMs) throw refused(service, circuit.untilMs - nowMs);
      change({ state: "half-open", probesLeft: probesMax, well: 0 });
    } else if (circuit.probesLeft === 0) throw refused(service, 1_000);
  };
  return {
    check,
    begin() {
      check();
      if (circuit.state === "half-open") circuit.probesLeft--;
      return circuit;
    },
    end(began, verdict) {
      if (began !== circuit || began.state === "open") return;
      if (began.state === "closed") {
        if (verdict === "neither") return;
        const counted = count(began.seconds, clock.nowMs(), verdict);
        began.illInARow = verdict === "ill" ? began.illInARow + 1 : 0;
        const isMost = counted.all >= callsMin && counted.ill >= counted.all * illShare;
        if (isMost || began.illInARow >= illInARowMax)
          change({ state: "open", untilMs: clock.nowMs() + openMs }, counted);
      } else if (verdict === "ill") change({ state: "open", untilMs: clock.nowMs() + openMs }, { ill: 1, all: 1 });
      else {
        began.probesLeft++;
        if (verdict === "well" && ++began.well === probesMax) change(closed());
      }
    },
  };
}

function closed(): Circuit {
  return {
    state: "closed",
    seconds: Array.from({ length: windowSeconds }, () => ({ second: 0, ill: 0, all: 0 })),
    illInARow: 0,
  };
}

const nothing = { ill: 0, all: 0 };

/** Counts one; answers what the window holds when that may matter. */
function count(seconds: Second[], nowMs: number, verdict: Verdict): { ill: number; all: number } {
  const second = Math.floor(nowMs / 1_000);
  const current = seconds[second % windowSeconds]!;
  if (current.second !== second) Object.assign(current, { second, ill: 0, all: 0 });
  current.all++;
  if (verdict !== "ill") return nothing;
  current.ill++;
  const within = seconds.filter((one) => one.second > second - windowSeconds);
  return {
    ill: within.reduce((sum, { ill }) => sum + ill, 0),
    all: within.reduce((sum, { all }) => sum + all, 0),
  };
}

function refused(service: string, forMs: number): Failure {
  return new Failure(errors.unavailable, `Service ${service} is not available at the moment`, {
    headers: { "retry-after": String(Math.ceil(forMs / 1_000)) },
  });
}
