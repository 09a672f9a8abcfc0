import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock, type Logger, silentLogger, systemRandom } from "../base/index.ts";
import { conflict, errors, Failure } from "../contract/index.ts";
import { createDeadline } from "./deadline.ts";
import { moving } from "../testing/index.ts";
import { createDependencies, type Retry } from "./dependency.ts";

const ill = (options = {}) => new Failure(errors.unavailable, "Down", options);
const always: Retry = { max: 2, backoffMs: 50, may: () => true };
const never: Retry = { max: 0, backoffMs: 0, may: () => false };

function setUp(limits: { inFlightMax?: number; waitingMax?: number } = {}) {
  const clock = createManualClock();
  const said: { level: string; state?: string }[] = [];
  const say = (level: string) => (fields: object) => void said.push({ level, ...fields });
  const log: Logger = { ...silentLogger, warn: say("warn"), info: say("info") };
  const dependencies = createDependencies({ clock, random: systemRandom, log, ...limits });
  const dependency = dependencies.of("orders", "catalog");
  let made = 0;
  /** `results` in turn, the last one for ever: a failure is thrown. */
  const run = (results: unknown[], retry = always, deadline = createDeadline(clock, 10_000)) => {
    const left = [...results];
    return dependency.run(
      async () => {
        made++;
        const result = left.length > 1 ? left.shift() : left[0];
        if (result instanceof Error) throw result;
        return result;
      },
      { deadline, retry },
    );
  };
  const calls = async (count: number, result: unknown) => {
    for (let call = 0; call < count; call++) await run([result], never).catch(() => {});
  };
  return { clock, said, dependencies, dependency, run, calls, made: () => made };
}

test("what may pass is tried again, twice at most, after a wait that the clock gives", async () => {
  const { clock, run, made } = setUp();
  equal(await moving(clock, run([ill(), ill(), "well"])), "well");
  equal(made(), 3);
  await rejects(moving(clock, run([ill()])), { code: "UNAVAILABLE" });
  equal(made(), 6);
});

test("a refusal, the end of the own time and what comes from deeper are not tried again", async () => {
  const failures = [conflict("Taken"), ill({ hops: 1 }), ill({ cause: ill({ hops: 1 }) }), new TypeError("A bug")];
  for (const failure of failures) {
    const { run, made } = setUp();
    await rejects(run([failure]), failure);
    equal(made(), 1);
  }
  const { clock, dependency } = setUp();
  const deadline = createDeadline(clock, 100);
  let made = 0;
  const late = dependency.run(
    async () => {
      made++;
      await clock.sleep(1_000, deadline.signal);
      deadline.check();
    },
    { deadline, retry: { ...always, may: ({ code }) => code === "UNAVAILABLE" } },
  );
  await rejects(moving(clock, late), { code: "DEADLINE_EXCEEDED" });
  equal(made, 1);
});

test("no wait goes beyond the deadline, and a caller that went away ends it", async () => {
  const { clock, run, made } = setUp();
  await rejects(run([ill()], { ...always, backoffMs: 1e9 }, createDeadline(clock, 1_000)), { code: "UNAVAILABLE" });
  equal(made(), 1);
  const gone = new AbortController();
  const waiting = run([ill()], { ...always, backoffMs: 5_000 }, createDeadline(clock, 10_000, gone.signal));
  await clock.advance(0);
  gone.abort(new Error("gone"));
  await rejects(waiting, /gone/);
});

test("when the budget is used up calls fail at once", async () => {
  const { run, calls, made } = setUp();
  const atOnce = { ...always, backoffMs: 0 };
  // Or the circuit would open before.
  await calls(20, "well");
  for (let call = 0; call < 11; call++) equal(await run([ill(), "well"], atOnce), "well");
  equal(made(), 20 + 22);
  await rejects(run([ill(), "well"], atOnce), { code: "UNAVAILABLE", message: "Down" });
  equal(made(), 20 + 23);
});

test("a service that is ill is not asked, with one line in the log; probes find out when it is well", async () => {
  const { clock, said, run, calls, made } = setUp();
  await calls(10, ill());
  await calls(50, "never asked");
  equal(made(), 10);
  await rejects(run(["never asked"]), (error: Failure) => error.status === 503 && error.headers["retry-after"] === "5");
  deepEqual([...said], [{ level: "warn", from: "orders", to: "catalog", ill: 10, all: 10 }]);
  await clock.advance(5_000);
  await calls(3, "well");
  equal(made(), 13);
  await calls(10, "well");
  equal(made(), 23);
  deepEqual(
    said.slice(1).map(({ state }) => state),
    ["half-open", "closed"],
  );
});

test("one that flaps is asked by probes only, and opens again with the first that fails", async () => {
  const { clock, calls, made } = setUp();
  await calls(10, ill());
  for (let round = 0; round < 5; round++) {
    await clock.advance(5_000);
    await calls(2, "well");
    await calls(20, ill());
  }
  equal(made(), 10 + 5 * 3);
});

test("refusals and bugs of a service, what is deeper and callers that gave up open nothing", async () => {
  const { clock, run, calls } = setUp();
  for (const failure of [conflict("Taken"), ill({ hops: 1 }), new TypeError("A bug")]) await calls(50, failure);
  for (let call = 0; call < 50; call++) {
    const deadline = createDeadline(clock, 1_000, AbortSignal.abort(ill()));
    await rejects(run([ill()], never, deadline), { code: "UNAVAILABLE" });
  }
  equal(await run(["well"]), "well");
});

test("a service that hangs holds so many callers and no more, and those who wait go when it is found ill", async () => {
  const { clock, dependency } = setUp({ inFlightMax: 20, waitingMax: 30 });
  let asked = 0;
  const hang = () => {
    const deadline = createDeadline(clock, 1_000);
    return dependency
      .run(
        async () => {
          asked++;
          await clock.sleep(10_000, deadline.signal);
          deadline.check();
        },
        { deadline, retry: never },
      )
      .then(String, (error: Failure) => `${error.code} ${error.message}`);
  };
  const early = Array.from({ length: 20 }, hang);
  await clock.advance(500);
  const waiting = Array.from({ length: 30 }, hang);
  equal(await hang(), "UNAVAILABLE Too many calls of service catalog are waiting");
  equal(asked, 20);
  await clock.advance(500);
  // Nine places were given on before the tenth failure opened the circuit.
  equal(asked, 29);
  await clock.advance(1_000);
  const ends = new Map<string, number>();
  for (const end of await Promise.all([...early, ...waiting])) ends.set(end, (ends.get(end) ?? 0) + 1);
  deepEqual(
    [...ends],
    [
      ["DEADLINE_EXCEEDED The deadline of this request passed", 29],
      ["UNAVAILABLE Service catalog is not available at the moment", 21],
    ],
  );
});

test("what a service answered early counts once, and what fails after it is not repeated", async () => {
  const { dependency } = setUp();
  let made = 0;
  for (let call = 0; call < 20; call++)
    await rejects(
      dependency.run(
        async (answered) => {
          made++;
          answered();
          throw ill();
        },
        { deadline: createDeadline(createManualClock(), 1_000), retry: always },
      ),
      { code: "UNAVAILABLE" },
    );
  equal(made, 20);
});

test("each service has its own circuit to each other one", async () => {
  const { dependencies, calls, run } = setUp();
  await calls(10, ill());
  await rejects(run(["well"]), { status: 503 });
  const clock = createManualClock();
  for (const [from, to] of [
    ["identity", "catalog"],
    ["orders", "identity"],
  ] as const)
    equal(
      await dependencies.of(from, to).run(async () => "well", { deadline: createDeadline(clock, 1_000), retry: never }),
      "well",
    );
});
