// TLS between the processes of a system: its settings, and what is wrong with the files before anybody connects.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Clock } from "../base/index.ts";
import type { PeerTls } from "../peer/index.ts";
import { fileSetting, type Setting, SettingsError } from "./settings.ts";
import type { Place } from "./topology.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export const peerTlsVariables = {
  PEER_TLS_CERT: fileSetting(
    "the certificate of this process, a PEM file: with it processes connect by TLS, and services serve nobody without one of PEER_TLS_CA",
  ),
  PEER_TLS_KEY: fileSetting("the key of PEER_TLS_CERT, a PEM file"),
  PEER_TLS_CA: fileSetting("who signed the certificates of all processes, and of nobody else; a PEM file"),
};
type Name = keyof typeof peerTlsVariables;
const names = Object.keys(peerTlsVariables) as Name[];

/** By the variable that names it. */
export type PeerTlsFiles = Readonly<Record<Name, string>>;

/** All of them or none: with one missing, connections would be less than who set the others counts on. */
export function neededForPeerTls(environment: Environment): Readonly<Record<string, Setting<unknown>>> {
  const isSet = (name: Name) => environment[name] !== undefined && environment[name] !== "";
  const set = names.find(isSet);
  if (set === undefined) return {};
  return Object.fromEntries(names.filter((name) => !isSet(name)).map((name) => [name, needed(name, set)]));
}

function needed(name: Name, set: Name): Setting<unknown> {
  return {
    ...peerTlsVariables[name],
    get absent(): string {
      throw new Error(`is needed as well when ${set} is set`);
    },
  };
}

export function peerTlsOf(values: Partial<Record<Name, string | undefined>>): PeerTlsFiles | undefined {
  const { PEER_TLS_CERT, PEER_TLS_KEY, PEER_TLS_CA } = values;
  if (PEER_TLS_CERT === undefined) return undefined;
  return { PEER_TLS_CERT, PEER_TLS_KEY: PEER_TLS_KEY!, PEER_TLS_CA: PEER_TLS_CA! };
}

/** Reads the files, and throws every mistake in them by the name of the variable. */
export async function readPeerTls(files: PeerTlsFiles, clock: Clock): Promise<PeerTls> {
  const read = await Promise.all(names.map((name) => readFile(files[name], "utf8").catch(codeOf)));
  const mistakes = read.flatMap((text, index) =>
    typeof text === "string" ? [] : [`  ${names[index]} cannot be read: ${files[names[index]!]} (${text.code})`],
  );
  const [cert, key, ca] = read as [string, string, string];
  if (mistakes.length === 0) mistakes.push(...mistakesIn({ cert, key, ca }, clock));
  if (mistakes.length > 0) throw new SettingsError(`The certificates cannot be used:\n${mistakes.join("\n")}`);
  return { cert, key, ca };
}

function codeOf(error: NodeJS.ErrnoException): { code: string } {
  return { code: error.code ?? error.message };
}

function mistakesIn({ cert, key, ca }: PeerTls, clock: Clock): string[] {
  const own = parsed(() => new X509Certificate(cert));
  const authority = parsed(() => new X509Certificate(ca));
  const secret = parsed(() => createPrivateKey(key));
  const unread = [
    own === undefined ? "  PEER_TLS_CERT is not a certificate in PEM" : [],
    secret === undefined ? "  PEER_TLS_KEY is not a key in PEM, without a passphrase" : [],
    authority === undefined ? "  PEER_TLS_CA is not a certificate in PEM" : [],
  ].flat();
  if (unread.length > 0) return unread;
  const mistakes = own!.checkPrivateKey(secret!) ? [] : ["  PEER_TLS_KEY is not the key of PEER_TLS_CERT"];
  const nowMs = clock.nowMs();
  if (nowMs > own!.validToDate.getTime()) mistakes.push(`  PEER_TLS_CERT was valid until ${own!.validTo}`);
  if (nowMs < own!.validFromDate.getTime()) mistakes.push(`  PEER_TLS_CERT is valid from ${own!.validFrom} on`);
  if (mistakes.length === 0 && parsed(() => createSecureContext({ cert, key, ca })) === undefined)
    mistakes.push("  PEER_TLS_CERT, PEER_TLS_KEY or PEER_TLS_CA is not accepted by OpenSSL");
  return mistakes;
}

function parsed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Throws when somebody would be reached without TLS, or could not be reached by it. */
export function checkPlace(place: Place, hasServices: boolean): void {
  const others = place.others();
  const plain = others.filter((url) => !url.startsWith("https:"));
  if (plain.length > 0)
    throw new Error(
      `PEER_TLS_CERT is set, and ${plain.join(" and ")} would be reached without TLS: let the URL begin with https.`,
    );
  if (place.gateway && hasServices && others.length > 0)
    throw new Error(
      "PEER_TLS_CERT is set, and the gateway of this topology has services: its port is for clients, who have no certificate. Give the services a process of their own.",
    );
}
