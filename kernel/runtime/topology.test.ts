import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { service, type ServiceContract } from "../contract/index.ts";
import { placeIn, single, type Topology, topologyMistakes } from "./topology.ts";

const contracts = ["identity", "orders"].map((name): ServiceContract =>
  service(name, { database: name, summary: name, versions: [{ number: 1 }] }),
);
const split: Topology = {
  gateway: { services: [], gateway: true, port: 3000 },
  people: { services: ["identity"], port: 3001 },
  orders: { services: ["orders"], port: 3002 },
};

test("a process has its services, and finds the others where they are configured, else on this machine", () => {
  const place = placeIn(split, "orders", { people: "http://10.0.0.7:80" });
  deepEqual([place.gateway, place.has("orders"), place.has("identity")], [false, true, false]);
  equal(place.urlOf("identity"), "http://10.0.0.7:80");
  equal(placeIn(split, "gateway", {}).urlOf("orders"), "http://127.0.0.1:3002");
  const named = { ...split, orders: { ...split["orders"]!, url: "http://orders.internal:3003" } };
  equal(placeIn(named, "gateway", {}).urlOf("orders"), "http://orders.internal:3003");
  equal(placeIn(named, "gateway", { orders: "http://10.0.0.8:80" }).urlOf("orders"), "http://10.0.0.8:80");
  deepEqual(placeIn(split, "gateway", {}).others(), ["http://127.0.0.1:3001", "http://127.0.0.1:3002"]);
  throws(() => place.urlOf("catalog"), /No process offers service "catalog"/);
  throws(() => placeIn(split, "catalog", {}), /There are gateway, people, orders/);
});

test("in one process everything is there and nothing elsewhere", () => {
  deepEqual([single.gateway, single.has("anything"), single.others()], [true, true, []]);
});

test("every mistake of a topology is named", () => {
  deepEqual(topologyMistakes(split, contracts), []);
  const wrong: Topology = {
    one: { services: ["orders", "stock"], gateway: true, port: 1 },
    two: { services: ["orders"], gateway: true, port: 1, url: "http://orders.internal/path" },
  };
  deepEqual(topologyMistakes(wrong, contracts), [
    "Service identity is in no process.",
    "Service orders is in two processes. Run one process twice instead.",
    "There is no service stock.",
    "One process is the gateway, here one and two.",
    "Port 1 is given to two processes.",
    "The url of process two must be one without a path, such as http://orders.internal:3003.",
  ]);
  deepEqual(topologyMistakes({}, []), ["One process is the gateway, here none."]);
});
