// Ten ways in which one process and many have been known to differ, each planted on one side.

import type { Calls } from "ashlar/call";
import type { Envelope } from "ashlar/contract";
import { eventsPath, type Wire } from "ashlar/peer";
import type { Faults } from "ashlar/runtime";

export interface Plant {
  /** What differs. */
  readonly name: string;
  readonly side: "single" | "split";
  readonly faults?: Faults;
  /** Both sides run the mistaken code, and only one of them shows it. */
  readonly joins?: true;
  /** Where it must show. */
  readonly shows: readonly string[];
}

export const plants: readonly Plant[] = [
  {
    name: "aliasing: a call in one process hands over the object itself",
    side: "single",
    faults: uncopied(({ name }) => name === "keep" || name === "kept"),
    shows: ["POST /v1/exchanges"],
  },
  ...(["date", "undefined", "bigint"] as const).map((kind): Plant => ({
    name: `${kind}: a call in one process lets a value through that JSON has no word for`,
    side: "single",
    faults: uncopied(({ name }, { params }) => name === "value" && (params as { kind: string }).kind === kind),
    shows: [`GET /v1/values/${kind}`],
  })),
  {
    name: "error class: a call in one process throws what was thrown, as it was",
    side: "single",
    faults: uncopied(({ name }) => name === "fail"),
    shows: ["GET /v1/failures/refused", "GET /v1/failures/broken"],
  },
  {
    name: "header case: the gateway writes the names of headers in its own way",
    side: "split",
    faults: {
      wire: (wire) => ({
        ...wire,
        relay: (service, request, begin) =>
          wire.relay(service, request, (status, headers) =>
            begin(
              status,
              headers.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)),
            ),
          ),
      }),
    },
    shows: ["names of headers"],
  },
  {
    name: "timeout: a call between processes is given a time of its own",
    side: "split",
    faults: {
      wire: (wire) => ({
        ...wire,
        post: (service, path, claims, body, { signal }) =>
          wire.post(service, path, claims, body, { signal, remainingMs: () => 60_000 }),
      }),
    },
    shows: ["GET /v1/remaining"],
  },
  {
    name: "order: an event is confirmed before it arrived, and the next one overtakes it",
    side: "split",
    faults: {
      wire(wire) {
        let held: Parameters<Wire["post"]> | undefined;
        const post: Wire["post"] = async (...sent) => {
          const [, path, , events] = sent;
          if (path !== eventsPath("answerer")) return wire.post(...sent);
          if (held === undefined) {
            held = sent;
            return (events as Envelope[]).map(({ id }) => ({ id, state: "confirmed" }));
          }
          const outcome = await wire.post(...sent);
          await wire.post(...held);
          return outcome;
        };
        return { ...wire, post };
      },
    },
    shows: ["GET /v1/heard"],
  },
  {
    name: "caller lost: a call between processes does not say whose it is",
    side: "split",
    faults: {
      wire: (wire) => ({
        ...wire,
        post: (service, path, claims, body, limits) =>
          wire.post(service, path, { ...claims, from: "somebody" }, body, limits),
      }),
    },
    shows: ["GET /v1/who"],
  },
  {
    name: "transaction leak: the called writes in the transaction of its caller, where it finds one",
    side: "single",
    joins: true,
    shows: ["GET /v1/heard", "answerer.notes"],
  },
];

/** Calls that go straight to the function, where `which` says so. */
function uncopied(which: (...call: Parameters<Calls["call"]>) => boolean): Faults {
  return {
    calls: (calls, targetOf) => ({
      call: (operation, input, context) =>
        which(operation, input, context)
          ? (targetOf(operation.service)!.invoke(
              operation.name,
              { params: {}, query: {}, body: undefined, ...input },
              context,
            ) as never)
          : calls.call(operation, input, context),
    }),
  };
}
