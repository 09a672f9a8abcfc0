// Who may call an operation, compared: whoever could must still be able to.

import { accessKey, scopeKey } from "../openapi/extensions.ts";
import { breaking, compatible, type Difference, type Json, type Pair } from "./difference.ts";

export function accessDifferences({ before, after, place }: Pair): Difference[] {
  const here = [...place, accessKey];
  const [from, to] = [grantsOf(before), grantsOf(after)];
  // A document from the time when it was not written down.
  if (from === undefined) return to === undefined ? [] : [compatible(here, "is written down now")];
  if (to === undefined) return [breaking(here, "is not written down any more")];
  return [
    ...from
      .filter((grant) => !covers(to, grant))
      .map((grant) => breaking(here, `${grant} may not any more: its requests are refused`)),
    ...to.filter((grant) => !covers(from, grant)).map((grant) => compatible(here, `${grant} may now, too`)),
    ...scopeDifferences(to, { before, after, place }),
  ];
}

/** Where anyone may, a key needs no scope. */
function scopeDifferences(grants: readonly string[], { before, after, place }: Pair): Difference[] {
  const [from, to] = [before[scopeKey], after[scopeKey]];
  if (from === to || grants.includes("anyone")) return [];
  const here = [...place, scopeKey];
  if (from === undefined) return [compatible(here, `API keys with ${String(to)} may now, too`)];
  return [breaking(here, `API keys with ${String(from)} may not any more: their requests are refused`)];
}

function grantsOf(operation: Json): string[] | undefined {
  const grants = operation[accessKey];
  return Array.isArray(grants) ? grants.map(String) : undefined;
}

function covers(grants: readonly string[], grant: string): boolean {
  return grants.includes(grant) || grants.includes("anyone") || (grant !== "anyone" && grants.includes("signedIn"));
}

type Requirement = Readonly<Record<string, readonly string[]>>;

/** `security` is a list of ways to authenticate, any of which suffices. */
export function securityDifferences(pair: Pair, documents: { before: Json; after: Json }): Difference[] {
  const here = [...pair.place, "security"];
  const [from, to] = [waysOf(pair.before, documents.before), waysOf(pair.after, documents.after)];
  const suffices = (ways: readonly Requirement[], way: Requirement) => ways.some((one) => asksNoMore(one, way));
  return [
    ...from
      .filter((way) => !suffices(to, way))
      .map((way) => breaking(here, `${named(way)} is not enough any more: requests that were accepted are refused`)),
    ...to.filter((way) => !suffices(from, way)).map((way) => compatible(here, `${named(way)} is enough now`)),
  ];
}

/** Without a list of its own an operation has that of the document; an empty list asks for nothing. */
function waysOf(operation: Json, document: Json): readonly Requirement[] {
  const ways = (operation.security ?? document.security ?? []) as Requirement[];
  return ways.length === 0 ? [{}] : ways;
}

function asksNoMore(one: Requirement, other: Requirement): boolean {
  return Object.entries(one).every(
    ([scheme, scopes]) => scopes.every((scope) => other[scheme]?.includes(scope)) && scheme in other,
  );
}

function named(way: Requirement): string {
  const schemes = Object.entries(way).map(([scheme, scopes]) => [scheme, ...scopes].join(" "));
  return schemes.length === 0 ? "no token" : schemes.join(" with ");
}
