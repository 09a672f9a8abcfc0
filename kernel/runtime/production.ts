// What is good enough to try an app out, and refused when it starts in production.
//
// Our own secrets (keys, cursors, the embedded databases) are made at random and asked of nobody. Those that
// people choose stand in URLs, and are held to what a machine that guesses all day cannot guess.

import { passwordIssue } from "../auth/index.ts";

const passwordMinLength = 12;
/** No better for being longer; and no longer than what `passwordIssue` reads. */
const lookedAtMax = 128;
/** What stands in examples and in the documents of others until somebody replaces it. */
const placeholders = "password passwort secret changeme change default example postgres admin root test user";

/** Throws a sentence when the password in the URL is missing, short, or one that is tried first. */
export function requireSecret(url: URL): void {
  const password = url.searchParams.get("password") ?? decoded(url.password);
  if (password === "") throw new Error("must hold a password in production");
  if ([...password].length < passwordMinLength)
    throw new Error(`must hold a password of ${passwordMinLength} characters or more in production`);
  const about = { name: `${placeholders} ${decoded(url.username)}`, service: `${url.hostname} ${url.pathname}` };
  if (passwordIssue([...password].slice(0, lookedAtMax).join(""), about) !== undefined)
    throw new Error("must hold a password in production that is not among those that are tried first");
}

/** A socket of this machine, or a client certificate, says who connects; then no password is needed. */
export function isKnownOtherwise(url: URL): boolean {
  const host = url.searchParams.get("host") ?? decoded(url.hostname);
  return host === "" || host.startsWith("/") || url.searchParams.has("sslkey");
}

/** Throws a sentence when links would send people over an unencrypted connection. */
export function requireEncrypted(url: string): void {
  if (!url.startsWith("https:")) throw new Error("must begin with https: in production");
}

/** A setting that means something only where the app is tried out. */
export function refuseInProduction(): never {
  throw new Error("is set, and there is no demo data in production: unset it");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
