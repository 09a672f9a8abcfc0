import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../base/index.ts";
import { childTrace, parseTraceparent, parseTracestate, traceOf, traceparentOf } from "./trace.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const parentId = "00f067aa0ba902b7";
const valid = `00-${traceId}-${parentId}-01`;

test("a valid traceparent is read", () => {
  deepEqual(parseTraceparent(valid), { traceId, parentId, flags: 1 });
  equal(parseTraceparent(`00-${traceId}-${parentId}-ff`)?.flags, 3);
});

test("a later version is read as far as it is known", () => {
  equal(parseTraceparent(`01-${traceId}-${parentId}-01`)?.traceId, traceId);
  equal(parseTraceparent(`cc-${traceId}-${parentId}-03-what-comes`)?.flags, 1);
  equal(parseTraceparent(`01-${traceId}-${parentId}-01.x`), undefined);
});

test("an invalid traceparent is none", () => {
  for (const header of [
    "",
    `ff-${traceId}-${parentId}-01`,
    `00-${"0".repeat(32)}-${parentId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${parentId}-01`,
    `00-${traceId}-${parentId}-1`,
    `00-${traceId}-${parentId}-01-x`,
    `00-${traceId}-${parentId}-01-`,
    `0-${traceId}-${parentId}-01`,
    `${valid}, ${valid}`,
    `01${valid.slice(2)}, ${valid}`,
    ` ${valid}`,
  ]) {
    equal(parseTraceparent(header), undefined, header);
  }
});

test("a span continues the caller's trace with an id of its own and kept flags", () => {
  const trace = traceOf({ traceparent: valid, tracestate: "a=1, b@c=2" }, systemRandom);
  equal(trace.traceId, traceId);
  equal(trace.parentId, parentId);
  equal(trace.state, "a=1,b@c=2");
  notEqual(trace.spanId, parentId);
  const child = childTrace(trace, systemRandom);
  equal(child.parentId, trace.spanId);
  match(traceparentOf(child), new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
});

test("without a valid traceparent a new trace begins and tracestate is dropped", () => {
  const trace = traceOf({ traceparent: "nonsense", tracestate: "a=1" }, systemRandom);
  equal(trace.state, undefined);
  equal(trace.parentId, undefined);
  deepEqual(parseTraceparent(traceparentOf(trace))?.traceId, trace.traceId);
});

test("tracestate falls alone when it breaks its grammar", () => {
  const trace = traceOf({ traceparent: valid, tracestate: "A=1" }, systemRandom);
  equal(trace.traceId, traceId);
  equal(trace.state, undefined);
  for (const state of [
    "",
    ",",
    "a",
    "a=",
    "=1",
    "a=1,a=2",
    "a=b=c",
    "A=1",
    "a@=1",
    "a=\u00e9",
    Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(),
  ]) {
    equal(parseTracestate(state), undefined, state);
  }
  equal(parseTracestate("a=1,,\tb=2 ,"), "a=1,b=2");
});

test("a long tracestate loses its long members first, then its last ones", () => {
  const long = `long=${"x".repeat(200)}`;
  const members = Array.from({ length: 20 }, (_, index) => `k${index}=${"v".repeat(20)}`);
  const kept = parseTracestate([long, ...members].join(","))!;
  equal(kept, members.slice(0, kept.split(",").length).join(","));
  equal(kept.length <= 512 && kept.length > 450, true);
});
