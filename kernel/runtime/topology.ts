// Which services share a process. `single` needs no word: everything in one.

import type { ServiceContract } from "../contract/index.ts";

export interface ProcessSpec {
  /** The services that run in it; none in a process that is only a gateway. */
  readonly services: readonly string[];
  /** Whether clients come to it. One process of a topology is the gateway; there may be many of it. */
  readonly gateway?: boolean;
  /** Where it listens unless PORT says otherwise. */
  readonly port: number;
  /**
   * Where the other processes reach it unless `<PROCESS>_URL` says otherwise: a static address, or a name that DNS
   * knows, `http://orders.internal:3003`. Default: this machine, at its port.
   */
  readonly url?: string;
}

/** What carries the events of a topology, and what its processes share. */
export interface Beside {
  /** `postgres`: the outbox, whose events are handed over by calls. */
  readonly bus?: "postgres" | "nats";
  /** `memory`: each process counts and remembers by itself. */
  readonly cache?: "memory" | "redis";
}

/** The processes of a system by name: `{ gateway: { services: [], gateway: true, port: 3000 }, ... }`. */
export type Topology = Readonly<Record<string, ProcessSpec>>;

/** What of a system runs in this process, and where the rest is. */
export interface Place {
  readonly process: string;
  readonly gateway: boolean;
  /** Whether a service runs here. */
  has(service: string): boolean;
  /** Where a service that runs elsewhere is reached: `http://127.0.0.1:3001`. */
  urlOf(service: string): string;
  /** Where the other processes that have services are reached. */
  others(): readonly string[];
}

/** Everything in one process. */
export const single: Place = {
  process: "single",
  gateway: true,
  has: () => true,
  urlOf: (service) => {
    throw new Error(`No process offers service "${service}". Add it to the topology.`);
  },
  others: () => [],
};

/** One process of a topology. `urls` are those configured, by process; without one it is on this machine. */
export function placeIn(
  topology: Topology,
  process: string,
  urls: Readonly<Record<string, string | undefined>>,
): Place {
  const own = topology[process];
  if (own === undefined)
    throw new Error(
      `There is no process "${process}" in this topology. There are ${Object.keys(topology).join(", ")}.`,
    );
  const urlOfProcess = (name: string) =>
    urls[name] ?? topology[name]!.url ?? `http://127.0.0.1:${topology[name]!.port}`;
  const processOf = (service: string) =>
    Object.keys(topology).find((name) => topology[name]!.services.includes(service));
  return {
    process,
    gateway: own.gateway === true,
    has: (service) => own.services.includes(service),
    urlOf(service) {
      const name = processOf(service);
      return name === undefined ? single.urlOf(service) : urlOfProcess(name);
    },
    others: () =>
      Object.keys(topology)
        .filter((name) => name !== process && topology[name]!.services.length > 0)
        .map(urlOfProcess),
  };
}

/** What is wrong with a topology for these services, as sentences. */
export function topologyMistakes(topology: Topology, contracts: readonly ServiceContract[]): string[] {
  const processes = Object.entries(topology);
  const placed = processes.flatMap(([, { services }]) => services);
  const names = contracts.map(({ name }) => name);
  const gateways = processes.filter(([, { gateway }]) => gateway === true).map(([name]) => name);
  const ports = processes.map(([, { port }]) => port);
  return [
    ...names.filter((name) => !placed.includes(name)).map((name) => `Service ${name} is in no process.`),
    ...twice(placed).map((name) => `Service ${name} is in two processes. Run one process twice instead.`),
    ...placed.filter((name) => !names.includes(name)).map((name) => `There is no service ${name}.`),
    ...(gateways.length === 1 ? [] : [`One process is the gateway, here ${gateways.join(" and ") || "none"}.`]),
    ...twice(ports).map((port) => `Port ${port} is given to two processes.`),
    ...processes
      .filter(([, { url }]) => url !== undefined && !isAddress(url))
      .map(([name]) => `The url of process ${name} must be one without a path, such as http://orders.internal:3003.`),
  ];
}

/** Whether the text is where a process is reached: a URL without a path. */
export function isAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.origin === text;
}

function twice<T>(values: readonly T[]): T[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
