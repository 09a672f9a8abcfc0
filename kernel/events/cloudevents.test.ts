import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { toCloudEvent } from "./cloudevents.ts";

test("an event is exported as CloudEvents 1.0 with everything it says", () => {
  const envelope = {
    id: "evt_1",
    type: "order.created",
    aggregateId: "ord_1",
    timestamp: "2026-01-01T10:00:00.000Z",
    version: 2,
    traceparent: "00-a-b-01",
    data: { total: 99.99 },
  };
  deepEqual(toCloudEvent(envelope, "/services/orders"), {
    specversion: "1.0",
    id: "evt_1",
    source: "/services/orders",
    type: "order.created",
    subject: "ord_1",
    time: "2026-01-01T10:00:00.000Z",
    datacontenttype: "application/json",
    traceparent: "00-a-b-01",
    aggregateversion: 2,
    data: { total: 99.99 },
  });
});

test("what an event does not have is left out", () => {
  const event = toCloudEvent(
    { id: "evt_1", type: "order.created", aggregateId: "ord_1", timestamp: "2026-01-01T10:00:00.000Z", data: null },
    "/",
  );
  deepEqual(Object.keys(event), ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"]);
});
