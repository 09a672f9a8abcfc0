// The bus of a system, from its settings: the outbox itself, handed over to peers by calls, or NATS.

import { type Bus, createNatsBus, createPostgresBus, type Receive } from "../events/index.ts";
import { deriveSecret } from "./secret.ts";
import type { SystemOptions } from "./definition.ts";

/**
 * Opened before the services and closed after them. A system starts, and serves, while NATS is away: what it announces
 * waits in the outboxes. Processes of one system need one secret: NATS is not asked who sent what.
 */
export async function openBus(
  { definition, settings, clock, random, log }: SystemOptions,
  { secret, peers }: { secret: Uint8Array; peers: ReadonlyMap<string, Receive> },
  undo: (() => Promise<unknown>)[],
): Promise<Bus> {
  if (settings.natsUrl === undefined) return createPostgresBus(peers);
  const bus = await createNatsBus({
    url: settings.natsUrl,
    system: definition.name,
    secret: deriveSecret(secret, "events"),
    clock,
    random,
    log,
  });
  undo.push(() => bus.close());
  return bus;
}

/** What `/health` asks about the bus; nothing where it is the outbox, which is there when the databases are. */
export function probesOfBus(bus: Bus): (() => Promise<number>)[] {
  return bus.ping === undefined ? [] : [() => bus.ping!()];
}
