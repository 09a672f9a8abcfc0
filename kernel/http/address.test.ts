import { equal, throws } from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { bucketAddress, createAddressReader, normalAddress } from "./address.ts";

function from(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  return { socket: { remoteAddress }, headers: { "x-forwarded-for": forwarded } } as unknown as IncomingMessage;
}

test("G03 without trusted proxies forwarding headers are not believed", () => {
  const addressOf = createAddressReader();
  equal(addressOf(from("192.0.2.1", "203.0.113.9")), "192.0.2.1");
  equal(addressOf(from("::ffff:192.0.2.1")), "192.0.2.1");
  equal(addressOf(from(undefined)), "unknown");
});

test("G03 behind trusted proxies the nearest address that is not one of them counts", () => {
  const addressOf = createAddressReader(["10.0.0.0/8", "::1"]);
  equal(addressOf(from("10.0.0.1", "203.0.113.9")), "203.0.113.9");
  equal(addressOf(from("::ffff:10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2")), "203.0.113.9");
  equal(addressOf(from("198.51.100.7", "203.0.113.9")), "198.51.100.7");
  equal(addressOf(from("10.0.0.1", "1.1.1.1, not an address")), "10.0.0.1");
  equal(addressOf(from("10.0.0.1")), "10.0.0.1");
});

test("a wrong range is reported at start", () => {
  throws(() => createAddressReader(["10.0.0.0/99"]), /trusted proxy must be/);
  throws(() => createAddressReader(["proxy.example"]), /trusted proxy must be/);
});

test("G04 an IPv6 client is counted by its /64, an IPv4 client by its address", () => {
  equal(bucketAddress("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  equal(bucketAddress("2001:DB8:1:2::1"), "2001:db8:1:2::/64");
  equal(bucketAddress("2001:db8::1"), "2001:db8:0:0::/64");
  equal(bucketAddress("::1"), "0:0:0:0::/64");
  equal(bucketAddress("fe80::1%eth0"), "fe80:0:0:0::/64");
  equal(bucketAddress("64:ff9b::192.0.2.1"), "64:ff9b:0:0::/64");
  equal(bucketAddress("::ffff:192.0.2.1"), "192.0.2.1");
  equal(bucketAddress("::ffff:c000:201"), "192.0.2.1");
  equal(bucketAddress("192.0.2.1"), "192.0.2.1");
  equal(normalAddress("FE80::1%eth0"), "fe80::1");
});
