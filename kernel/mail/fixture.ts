// A real SMTP server for tests, on a free port, and a certificate for it.

import { generateKeyPairSync, sign } from "node:crypto";
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

/** A certificate that vouches for itself, for an IPv4 address and some years. */
export function certificateFor(address: string): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const ed25519 = sequence(tagged(0x06, Buffer.from([0x2b, 0x65, 0x70])));
  const name = sequence(tagged(0x31, sequence(oid(0x55, 0x04, 0x03), tagged(0x0c, Buffer.from(`test ${address}`)))));
  const validity = sequence(...["20200101000000Z", "21200101000000Z"].map((time) => tagged(0x18, Buffer.from(time))));
  const alternativeNames = sequence(tagged(0x87, Buffer.from(address.split(".").map(Number))));
  const isAuthority = sequence(tagged(0x01, Buffer.from([0xff])));
  const extensions = sequence(
    sequence(oid(0x55, 0x1d, 0x11), tagged(0x04, alternativeNames)),
    sequence(oid(0x55, 0x1d, 0x13), tagged(0x04, isAuthority)),
  );
  const toBeSigned = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([1])),
    ed25519,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, extensions),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign(null, toBeSigned, privateKey)]);
  const certificate = sequence(toBeSigned, ed25519, tagged(0x03, signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g)!;
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
}

// DER: a tag, a length, and what it holds.
function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return tagged(0x30, ...contents);
}

function oid(...bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}
