// Certificates for tests (RFC 5280): written here in DER, since node:crypto reads them and makes none.

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

export interface Validity {
  /** As GeneralizedTime has it: `20200101000000Z`. */
  from?: string;
  to?: string;
}

export interface Authority {
  readonly cert: string;
  /** A certificate for an IPv4 address, good for servers and clients. */
  issue(address: string, validity?: Validity): Certificate;
}

export function createAuthority(name = "authority"): Authority {
  const own = generateKeyPairSync("ed25519");
  const cert = certificateOf({
    subject: name,
    issuer: name,
    publicKey: own.publicKey,
    signedWith: own.privateKey,
    isAuthority: true,
  });
  return {
    cert,
    issue(address, validity) {
      const { publicKey, privateKey } = generateKeyPairSync("ed25519");
      const subject = `process at ${address}`;
      const facts = {
        subject,
        issuer: name,
        publicKey,
        signedWith: own.privateKey,
        isAuthority: false,
        address,
        validity,
      };
      return { key: pemOf(privateKey), cert: certificateOf(facts) };
    },
  };
}

/** A certificate that vouches for itself, for an IPv4 address and some years. */
export function certificateFor(address: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const name = `test ${address}`;
  const facts = { subject: name, issuer: name, publicKey, signedWith: privateKey, isAuthority: true, address };
  return { key: pemOf(privateKey), cert: certificateOf(facts) };
}

interface Facts {
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  signedWith: KeyObject;
  isAuthority: boolean;
  address?: string;
  validity?: Validity | undefined;
}

const ed25519 = sequence(oid(0x2b, 0x65, 0x70));
const commonName = oid(0x55, 0x04, 0x03);
const subjectAltName = oid(0x55, 0x1d, 0x11);
const basicConstraints = oid(0x55, 0x1d, 0x13);
let serial = 0;

function certificateOf({ subject, issuer, publicKey, signedWith, isAuthority, address, validity = {} }: Facts): string {
  const { from = "20200101000000Z", to = "21200101000000Z" } = validity;
  const names = address === undefined ? [] : [tagged(0x87, Buffer.from(address.split(".").map(Number)))];
  const extensions = [
    ...(names.length > 0 ? [sequence(subjectAltName, tagged(0x04, sequence(...names)))] : []),
    ...(isAuthority ? [sequence(basicConstraints, tagged(0x04, sequence(tagged(0x01, Buffer.from([0xff])))))] : []),
  ];
  const toBeSigned = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([++serial])),
    ed25519,
    nameOf(issuer),
    sequence(...[from, to].map((time) => tagged(0x18, Buffer.from(time)))),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign(null, toBeSigned, signedWith)]);
  const lines = sequence(toBeSigned, ed25519, tagged(0x03, signature))
    .toString("base64")
    .match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" });
}

function nameOf(text: string): Buffer {
  return sequence(tagged(0x31, sequence(commonName, tagged(0x0c, Buffer.from(text)))));
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
