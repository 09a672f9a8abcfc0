// What tests of a connection look at, and the ways it takes.

import { type AddressInfo, connect, createServer as createPlainServer, type Socket } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import { type Logger, silentLogger } from "../base/index.ts";

/** A log whose lines can be read, and waited for. */
export function listen() {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const write = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    for (const look of waiting) look();
  };
  const log: Logger = { ...silentLogger, info: write("info"), warn: write("warn"), error: write("error") };
  const line = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!lines.some((one) => pattern.test(one))) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { log, lines, line };
}

export interface Way {
  readonly port: number;
  /** Everything that is connected now leads nowhere, without a word, as behind a dead router. */
  lose(): void;
  close(): void;
}

/** A way to a server on this machine, with TLS when there is a certificate for it. */
export async function startWay(port: number, certificate?: { key: string; cert: string }): Promise<Way> {
  const sockets = new Set<Socket>();
  const join = (near: Socket) => {
    const far = connect(port, "127.0.0.1");
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) sockets.add(socket.on("error", () => {}));
  };
  const way = certificate === undefined ? createPlainServer(join) : createSecureServer(certificate, join);
  await new Promise<void>((resolve) => way.listen(0, "127.0.0.1", resolve));
  return {
    port: (way.address() as AddressInfo).port,
    lose() {
      for (const socket of sockets) socket.unpipe().resume();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      way.close();
    },
  };
}
