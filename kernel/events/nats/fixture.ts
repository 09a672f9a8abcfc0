// A NATS for the tests of a file, and buses on it, each system with a name of its own unless it is given one.

import { after, type TestContext } from "node:test";
import { silentLogger, systemClock, systemRandom } from "../../base/index.ts";
import { needsNats, startTestNats, type TestNats, type TestNatsOptions } from "../../testing/index.ts";
import { createNatsBus, type NatsBus, type NatsBusOptions } from "./nats-bus.ts";

export const secret = Buffer.from("the secret of the tests");

/** For tests in which somebody does not answer: not for long, and not because the machine is busy. */
export const impatient = { outcomeTimeoutMs: 700 };

let systems = 0;
export const newSystem = () => `system-${++systems}`;

/** Undefined where nats-server is not installed: the tests are skipped then. */
export async function startNatsForFile(options?: TestNatsOptions): Promise<TestNats> {
  if (needsNats.skip !== undefined) return undefined as never;
  const server = await startTestNats(options);
  after(() => server.stop());
  return server;
}

export async function openBus(
  t: TestContext,
  server: TestNats,
  options: Partial<NatsBusOptions> = {},
): Promise<NatsBus> {
  const bus = await createNatsBus({
    url: server.url,
    system: newSystem(),
    secret,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    ...options,
  });
  t.after(() => bus.close());
  return bus;
}
