// A system as a test runs it: in one process, or as many, all of them in this one.
//
// Processes of a split system share nothing but what real ones do: their data folder, their databases and
// connections between them. Each has its own platform, pools, caches and HTTP server.

import {
  placeIn,
  type RunningSystem,
  startSystem,
  type SystemDefinition,
  type SystemOptions,
  type Topology,
} from "../runtime/index.ts";

/** Every service by itself behind a gateway. The ports are not used: each process takes a free one. */
export function splitOf({ contracts }: SystemDefinition): Topology {
  const services = contracts.map(({ name }, index) => [name, { services: [name], port: index + 1 }] as const);
  return { gateway: { services: [], gateway: true, port: contracts.length + 1 }, ...Object.fromEntries(services) };
}

export interface Processes {
  /** All of them, seen as one system at the gateway's address. */
  readonly system: RunningSystem;
  /** Each by its name in the topology. */
  readonly processes: ReadonlyMap<string, RunningSystem>;
}

export async function startProcesses(options: SystemOptions, topology: Topology): Promise<Processes> {
  const scheme = options.settings.peerTls === undefined ? "http" : "https";
  const urls: Record<string, string> = Object.fromEntries(
    Object.entries(topology).map(([process, { port }]) => [process, `${scheme}://127.0.0.1:${port}`]),
  );
  const processes = new Map<string, RunningSystem>();
  const first = options.definition.endedTokens?.service;
  // Who waits for somebody comes later: on a clock that stands still nobody waits twice.
  const rank = ([, { services, gateway }]: [string, Topology[string]]) =>
    gateway === true ? 2 : services.includes(String(first)) ? 0 : 1;
  for (const [process] of Object.entries(topology).toSorted((a, b) => rank(a) - rank(b))) {
    const system = await startSystem({ ...options, place: placeIn(topology, process, urls) });
    urls[process] = system.url;
    processes.set(process, system);
  }
  const running = [...processes.values()];
  const gateway = running.at(-1)!;
  const system: RunningSystem = {
    ...gateway,
    services: new Map(running.flatMap(({ services }) => [...services])),
    async stop(how) {
      await gateway.stop(how);
      await Promise.all(running.map((system) => system.stop(how)));
    },
  };
  return { system, processes };
}
