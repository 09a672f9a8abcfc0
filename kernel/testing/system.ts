// A whole system for a test: real PostgreSQL, real HTTP on a free port, a clock moved by hand.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import {
  createManualClock,
  encodeId,
  type Logger,
  type ManualClock,
  silentLogger,
  systemClock,
  systemRandom,
  uuidv7,
} from "../base/index.ts";
import { openApi } from "../contract/index.ts";
import {
  rateClasses,
  startSystem,
  type RunningSystem,
  type SystemDefinition,
  type SystemOptions,
  type SystemSettings,
  unusablePlatform,
} from "../runtime/index.ts";
import { migrationsOf } from "../service/index.ts";
import { createClient, type TestClient } from "./client.ts";
import { documentedBy } from "./documented/documented.ts";
import { createTestDatabase } from "./postgres.ts";
import { splitOf, startProcesses } from "./processes.ts";

export interface TestSystem extends TestClient {
  readonly system: RunningSystem;
  /** The processes of a split system, by name: `gateway`, and one for each service. */
  readonly processes: ReadonlyMap<string, RunningSystem>;
  readonly clock: ManualClock;
  /** The `Authorization` header of a user who need not exist, signed like a real one. Default: a new member. */
  authorization(user?: { userId?: string; roles?: readonly string[]; sessionId?: string }): Promise<string>;
  /** Resolves when every process has heard which tokens were ended; in one process it has at once. */
  heardEverywhere(): Promise<void>;
  /** Resolves when every event was delivered and had its effects, those that follow from them included. */
  settled(): Promise<void>;
  rows(service: string, sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

export interface TestSystemOptions {
  definition: SystemDefinition;
  settings?: Partial<SystemSettings>;
  log?: Logger;
  /** Default: what ASHLAR_TEST_TOPOLOGY says, so that any test can be run on both; else `single`. */
  topology?: "single" | "split";
  faults?: SystemOptions["faults"];
}

/** A 500 in a test is a bug to see, whatever the test was about. */
const errorsToConsole: Logger = {
  ...silentLogger,
  error: (fields, message) => console.error(message, fields),
  child: () => errorsToConsole,
};

const anySession = "ses_01h455vb4pex5vsknk084sn02q";
const newUserId = () => encodeId("usr", uuidv7(systemClock, systemRandom));
const endedTokensEveryMs = 2_000;
const settleRoundsMax = 2_000;

/**
 * Starts a system with fresh databases; it is stopped after the file's tests. Limits are off unless given.
 * Every answer to `request` is compared with the system's OpenAPI document, and throws where it differs.
 * Call it at the top level of a test file: what is called in a `before` hook is stopped when the hook ends.
 */
export async function startTestSystem({
  definition,
  settings = {},
  log = errorsToConsole,
  topology,
  faults,
}: TestSystemOptions): Promise<TestSystem> {
  const clock = createManualClock();
  const dataDirectory = await mkdtemp(join(tmpdir(), "ashlar-test-"));
  const databaseUrls = await freshDatabases(definition);
  const options: SystemOptions = {
    definition,
    settings: {
      port: 0,
      host: "127.0.0.1",
      dataDirectory,
      databaseUrls,
      trustedProxies: [],
      redisUrl: undefined,
      natsUrl: undefined,
      limitShares: 2,
      corsOrigins: [],
      issuer: "ashlar-test",
      publicUrl: "https://shop.example",
      smtp: undefined,
      // The clock of a test stands still, and would hold a refusal back until somebody moves it.
      refusalStepMs: 0,
      requestTimeoutMs: 10_000,
      drainLeadMs: 0,
      purgeDeletedAfterMs: 90 * 24 * 60 * 60_000,
      checkAnswers: true,
      ...settings,
      limits: {
        ...Object.fromEntries(rateClasses(definition.contracts).map((name) => [name, "off" as const])),
        ...settings.limits,
      },
    },
    clock,
    random: systemRandom,
    log,
    demo: false,
    ...(faults === undefined ? {} : { faults }),
  };
  const { system, processes } = isSplit(topology)
    ? await startProcesses(options, splitOf(definition))
    : { system: await startSystem(options), processes: new Map<string, RunningSystem>() };
  after(async () => {
    await stopInTime(system, clock);
    await rm(dataDirectory, { recursive: true, force: true });
  });
  const rows: TestSystem["rows"] = async (service, sql, values) =>
    (await system.services.get(service)!.parts.database.query(sql, values)).rows;
  const client = createClient(system.url);
  const documented = documentedBy(openApi(definition.contracts, definition));
  return {
    ...client,
    async request(method, path, request) {
      const answer = await client.request(method, path, request);
      documented.check(method, path, answer);
      return answer;
    },
    system,
    processes,
    clock,
    rows,
    async authorization({ userId = newUserId(), roles = ["member"], sessionId = anySession } = {}) {
      return `Bearer ${await system.platform.tokens.signAccess({ userId, email: "someone@example.com", roles: [...roles], sessionId })}`;
    },
    async heardEverywhere() {
      if (isSplit(topology)) await clock.advance(endedTokensEveryMs);
    },
    async settled() {
      for (let round = 0; round < settleRoundsMax; round++) {
        // An event may move on between two looks; nothing is on its way when two in a row find nothing.
        if ((await isSettled(system, rows)) && (await isSettled(system, rows))) return;
        // Backoff and polling of the relays run on this clock, so a step lets a retry happen.
        await clock.advance(round % 10 === 9 ? 100 : 0);
      }
      throw new Error("Events are still waiting: a subscriber fails or a relay does not run");
    },
  };
}

/** Moves the clock when the system waits for somebody, since nobody else would. */
async function stopInTime(system: RunningSystem, clock: ManualClock): Promise<void> {
  const state = { stopped: false };
  const stopping = system.stop({ graceMs: 0 }).finally(() => (state.stopped = true));
  for (let round = 0; !state.stopped; round++) await clock.advance(round < 100 ? 0 : 100);
  await stopping;
}

function isSplit(topology = process.env.ASHLAR_TEST_TOPOLOGY): boolean {
  if (topology !== undefined && topology !== "single" && topology !== "split")
    throw new Error(`ASHLAR_TEST_TOPOLOGY is single or split, not "${topology}"`);
  return topology === "split";
}

async function isSettled(system: RunningSystem, rows: TestSystem["rows"]): Promise<boolean> {
  const waiting = await Promise.all(
    [...system.services.keys()].map((service) => rows(service, "select 1 from ashlar.pending limit 1")),
  );
  return waiting.every((found) => found.length === 0);
}

/** A database for every name in the definition, cloned from migrated templates. */
async function freshDatabases(definition: SystemDefinition): Promise<Record<string, string>> {
  // The migrations are known to the implementations only, and making those starts nothing.
  const implementations = definition.services(unusablePlatform);
  const entries = await Promise.all(
    implementations.map(
      async (one) =>
        [one.contract.database, (await createTestDatabase({ migrations: migrationsOf(one) })).url] as const,
    ),
  );
  return Object.fromEntries(entries);
}
