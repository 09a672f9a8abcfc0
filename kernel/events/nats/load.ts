// The bus through NATS, loaded where there is one: its client would take memory of every process that has none.

import type { NatsBus, NatsBusOptions } from "./nats-bus.ts";

export async function createNatsBus(options: NatsBusOptions): Promise<NatsBus> {
  const bus = await import("./nats-bus.ts");
  return bus.createNatsBus(options);
}
