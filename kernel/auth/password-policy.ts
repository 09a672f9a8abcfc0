// Which passwords are refused (NIST 800-63B, ASVS 6.2): short ones, those that are tried first, and those
// made of what anybody knows about the account. No rules of composition: they make people write
// `Passw0rd!`, which is on the list.

import { readFileSync } from "node:fs";

const minLength = 8;
const maxLength = 128;

/** Words an attacker of any Ashlar system tries: its name, and the demo password of the README. */
const wordsOfThePlatform = ["ashlar", "demo"];
/** Shorter parts of a name or an address ("an", "com") say nothing. */
const minWordLength = 4;

/** What an attacker knows before the first guess: whose account it is, and what the service is called. */
export interface PasswordContext {
  readonly email?: string;
  readonly name?: string;
  readonly service?: string;
}

/** Why this password is refused, as a sentence for the person who chose it; undefined when it is fine. */
export function passwordIssue(password: string, about: PasswordContext = {}): string | undefined {
  const normal = password.normalize("NFC");
  const length = [...normal].length;
  if (length < minLength) return `The password must have at least ${minLength} characters`;
  if (length > maxLength) return `The password must have at most ${maxLength} characters`;
  const folded = fold(normal);
  if (isCommon(folded)) return "The password is among those that are tried first; choose another";
  if (new Set(folded).size === 1) return "The password must not be one character repeated";
  if (isMadeOf(folded, wordsAbout(about)))
    return "The password must not be made of your name, your email address or the name of this service";
  return undefined;
}

/** Whether nothing but digits and signs is left when the words are taken out, as in `alice1987!` or `Alice.Miller`. */
function isMadeOf(folded: string, words: readonly string[]): boolean {
  let rest = folded;
  for (const word of words) rest = rest.replaceAll(word, " ");
  return rest !== folded && !/\p{L}/u.test(rest);
}

function wordsAbout({ email = "", name = "", service = "" }: PasswordContext): string[] {
  const address = fold(email);
  const at = Math.max(0, address.lastIndexOf("@"));
  const wholes = [address, address.slice(0, at), address.slice(at + 1), fold(name), fold(service)];
  // With its digits and without: `mueller1@...` is no reason to let `mueller-1987` pass.
  const parts = [address, fold(name), fold(service)].flatMap((text) => [
    ...text.split(/[^\p{L}\p{N}]+/u),
    ...text.split(/\P{L}+/u),
  ]);
  const words = [...wholes, ...parts, ...wordsOfThePlatform].filter((word) => word.length >= minWordLength);
  // The longest first, or taking out "anna" would leave "belle" of "annabelle".
  return [...new Set(words)].toSorted((a, b) => b.length - a.length);
}

function fold(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

let common: string | undefined;

/** Looked for in the text as it is: a set of its 18,000 words takes ten times the memory, and this comes before a hash. */
function isCommon(folded: string): boolean {
  common ??= readWords();
  return !folded.includes("\n") && common.includes(`\n${folded}\n`);
}

/** Each word between two line feeds. */
function readWords(): string {
  const text = readFileSync(new URL("./common-passwords.txt", import.meta.url), "latin1");
  return `${text.slice(text.indexOf("\n----\n") + 5).trimEnd()}\n`;
}
