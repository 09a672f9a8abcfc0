// The services that run in other processes, as this one sees them: to be called, to be handed events and
// requests, and to be asked how they are.

import { type Clock, type Logger, type Random, shared } from "../base/index.ts";
import {
  type CallTarget,
  createDeadline,
  createRemoteTarget,
  type Deadline,
  type Dependencies,
} from "../call/index.ts";
import type { ServiceContract } from "../contract/index.ts";
import type { Outcome, Receive } from "../events/index.ts";
import { type CheckName, createForward, type HealthReport } from "../gateway/index.ts";
import { createPeerTokens, createWire, eventsPath, type PeerTls, type PeerTokens } from "../peer/index.ts";
import type { RemoteService } from "../service/index.ts";
import type { Faults } from "./definition.ts";
import type { Place } from "./topology.ts";

export interface Peers {
  readonly tokens: PeerTokens;
  /** The services elsewhere, for the gateway. */
  readonly services: readonly RemoteService[];
  targetOf(service: string): CallTarget | undefined;
  /** Who receives events elsewhere. */
  readonly receivers: ReadonlyMap<string, Receive>;
  /** One probe for each process that has services. */
  probesOf(check: CheckName): readonly (() => Promise<number>)[];
  close(): Promise<void>;
}

export interface PeersOptions {
  contracts: readonly ServiceContract[];
  place: Place;
  /** Shared by the processes of the system, and by nobody else. */
  secret: Uint8Array;
  dependencies: Dependencies;
  tls: PeerTls | undefined;
  clock: Clock;
  random: Random;
  log: Logger;
  faults?: Faults | undefined;
}

/** A batch of events is given as long as its handlers may take together. */
const eventsTimeoutMs = 60_000;

export function createPeers(options: PeersOptions): Peers {
  const { contracts, place, secret, dependencies, tls, clock, random, log, faults } = options;
  const tokens = createPeerTokens({ secret, clock });
  const elsewhere = contracts.filter(({ name }) => !place.has(name));
  if (elsewhere.length === 0 && place.others().length === 0) return noPeers(tokens);
  const reliable = createWire({ urlOf: (service) => place.urlOf(service), tokens, tls, clock, random });
  const wire = faults?.wire?.(reliable) ?? reliable;
  const targets = new Map(elsewhere.map(({ name }) => [name, createRemoteTarget(wire, name)]));
  const receive =
    (name: string): Receive =>
    (events) =>
      within(clock, eventsTimeoutMs, (deadline) =>
        wire.post(name, eventsPath(name), { use: `events ${name}` }, events, deadline),
      ) as Promise<Outcome[]>;
  // The three checks of one round ask once.
  const reports = place
    .others()
    .map((url) =>
      shared(() =>
        within(clock, healthTimeoutMs, ({ signal }) => wire.read(url, "/health", signal) as Promise<HealthReport>),
      ),
    );
  return {
    tokens,
    services: elsewhere.map((contract) => ({
      contract,
      forward: createForward({
        service: contract.name,
        wire,
        dependency: dependencies.of("gateway", contract.name),
        clock,
        log,
      }),
    })),
    targetOf: (service) => targets.get(service),
    receivers: new Map(elsewhere.map(({ name }) => [name, receive(name)])),
    probesOf: (check) =>
      reports.map((report) => async () => {
        const { status, latency } = (await report()).checks[check];
        if (status === "down") throw new Error("down");
        return latency;
      }),
    close: () => wire.close(),
  };
}

/** Of a process that has everything itself. */
function noPeers(tokens: PeerTokens): Peers {
  return {
    tokens,
    services: [],
    targetOf: () => undefined,
    receivers: new Map(),
    probesOf: () => [],
    close: async () => {},
  };
}

const healthTimeoutMs = 1_500;

async function within<T>(clock: Clock, timeoutMs: number, run: (deadline: Deadline) => Promise<T>): Promise<T> {
  const deadline = createDeadline(clock, timeoutMs);
  return run(deadline).finally(() => deadline.end());
}
