// A real SMTP server for tests, on a free port.

import type { AddressInfo } from "node:net";
import { after } from "node:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface Received {
  from: string;
  to: string[];
  /** The message as it came. */
  source: string;
  encrypted: boolean;
  user: string | undefined;
}

export interface MailServer {
  port: number;
  received: Received[];
  /** Names and passwords that were sent, taken or not. */
  signIns: string[];
}

/** Stopped after the file's tests. Takes any name with the password `right`; signing in is voluntary. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: Received[] = [];
  const signIns: string[] = [];
  const server = new SMTPServer({
    logger: false,
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ["STARTTLS"],
    onAuth({ username = "", password }, _session, done) {
      signIns.push(`${username}:${password}`);
      if (password === "right") done(null, { user: username });
      else done(Object.assign(new Error("Wrong"), { responseCode: 535 }));
    },
    onData(stream, { envelope, secure, user }, done) {
      let source = "";
      stream.on("data", (chunk) => (source += String(chunk)));
      stream.on("end", () => {
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        received.push({ from, to, source, encrypted: secure, user: user as string | undefined });
        done();
      });
    },
    ...options,
  });
  // A client that does not like the certificate hangs up.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => new Promise<void>((resolve) => server.close(resolve)));
  return { port: (server.server.address() as AddressInfo).port, received, signIns };
}
