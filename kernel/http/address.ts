// Who is calling, as an address: for limits and logs.
//
// Forwarding headers are believed only from configured proxies, hop by hop from our side, so a
// client can write what it likes into X-Forwarded-For and stays where its packets come from.

// A user who type-checks this source from node_modules needs the declaration too.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./proxy-addr.d.ts" />
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import proxyAddr from "proxy-addr";

/**
 * Returns a function from a request to the client's address. `trustedProxies` are addresses or
 * CIDR ranges; with none, it is the socket's address. A wrong range throws here, at start.
 */
export function createAddressReader(trustedProxies: readonly string[] = []): (request: IncomingMessage) => string {
  if (trustedProxies.length === 0) return (request) => normalAddress(request.socket.remoteAddress);
  const trust = compileTrust(trustedProxies);
  return (request) => {
    const socketAddress = request.socket.remoteAddress;
    if (request.headers["x-forwarded-for"] === undefined || socketAddress === undefined)
      return normalAddress(socketAddress);
    // The nearest hop that is not a trusted proxy, or, where that is no address, the proxy before it.
    const hops = proxyAddr.all(request, trust);
    return normalAddress(hops.findLast((hop) => isIP(hop) !== 0));
  };
}

function compileTrust(trustedProxies: readonly string[]): (address: string, hop: number) => boolean {
  try {
    return proxyAddr.compile([...trustedProxies]);
  } catch (cause) {
    throw new Error(`A trusted proxy must be an address or a range such as 10.0.0.0/8 (${(cause as Error).message})`, {
      cause,
    });
  }
}

const mappedV4 = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** `::ffff:192.0.2.1` is `192.0.2.1`; a zone (`%eth0`) is dropped; a socket already gone is "unknown". */
export function normalAddress(address: string | undefined): string {
  if (address === undefined) return "unknown";
  if (!address.includes(":")) return address;
  return mappedV4.exec(address)?.[1] ?? address.split("%", 1)[0]!.toLowerCase();
}

/** What a limit counts by: an IPv4 address, or the /64 an IPv6 address can roam in. */
export function bucketAddress(address: string): string {
  const normal = normalAddress(address);
  if (isIP(normal) !== 6) return normal;
  const [head = "", tail] = normal.split("::");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const full = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
  // A mapped address spelled in hexadecimal is still an IPv4 address.
  if (full.slice(0, 5).every((group) => group === 0) && full[5] === 0xffff) {
    return [full[6]! >> 8, full[6]! & 255, full[7]! >> 8, full[7]! & 255].join(".");
  }
  return `${full
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

function groups(part: string): string[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => {
    if (!group.includes(".")) return [group];
    const [a, b, c, d] = group.split(".").map(Number);
    return [((a! << 8) | b!).toString(16), ((c! << 8) | d!).toString(16)];
  });
}
