// proxy-addr ships no types; this is the part that address.ts uses.
declare module "proxy-addr" {
  import type { IncomingMessage } from "node:http";

  type Trust = (address: string, hop: number) => boolean;
  function proxyAddr(request: IncomingMessage, trust: Trust): string;
  namespace proxyAddr {
    function compile(trusted: string[]): Trust;
    function all(request: IncomingMessage, trust: Trust): string[];
  }
  export = proxyAddr;
}
