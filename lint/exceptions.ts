// What the linters say and we do not follow, each with its reason. Everything else they say fails, warnings
// as much as errors; so does an exception that nobody needs any more.

import type { Finding } from "./finding.ts";

export interface Exception {
  rule: string;
  /** Where it holds. Default: everywhere. */
  place?: RegExp;
  reason: string;
}

const health = /^paths\.\/health(\/\w+)?\.get/;
const fixed = /^paths\.\/(health|openapi\.json|asyncapi\.json|docs|\.well-known)/;

export const exceptions: readonly Exception[] = [
  {
    rule: "spectral/owasp:api4:2023-rate-limit",
    place: health,
    reason: "Health must answer while everything else is refused, so it has no limit.",
  },
  {
    rule: "spectral/owasp:api4:2023-rate-limit-responses-429",
    place: health,
    reason: "Health must answer while everything else is refused, so it has no limit.",
  },
  {
    rule: "spectral/owasp:api8:2023-define-error-responses-401",
    place: fixed,
    reason: "Health, documents and public keys are for everybody and look at no credentials.",
  },
  ...["spectral/info-contact", "spectral/asyncapi-info-contact"].map((rule) => ({
    rule,
    reason: "Whom to ask is known to whoever runs the store, not to its contracts.",
  })),
  ...[
    "spectral/info-license",
    "spectral/license-url",
    "spectral/asyncapi-info-license",
    "spectral/asyncapi-info-license-url",
    "redocly/info-license",
  ].map((rule) => ({ rule, reason: "Under which terms an API may be used is for whoever runs it to say." })),
  ...["spectral/openapi-tags-alphabetical", "spectral/asyncapi-3-tags-alphabetical"].map((rule) => ({
    rule,
    reason: "Tags are in the order in which the app lists its services: what comes first is read first.",
  })),
  ...["spectral/asyncapi-servers", "redocly/security-defined"].map((rule) => ({
    rule,
    reason: "What carries events, and who may connect to it, is configuration of a deployment.",
  })),
  ...["spectral/asyncapi-latest-version", "asyncapi/asyncapi-latest-version"].map((rule) => ({
    rule,
    reason: "The documents are promised in AsyncAPI 3.0; 3.1 adds nothing that they use.",
  })),
];

/** The findings that no exception covers, and the exceptions that cover none. */
export function withoutExceptions(
  findings: readonly Finding[],
  excepted: readonly Exception[],
): { left: Finding[]; unused: Exception[] } {
  const covers = (one: Exception, { rule, place }: Finding) => one.rule === rule && (one.place?.test(place) ?? true);
  return {
    left: findings.filter((finding) => !excepted.some((one) => covers(one, finding))),
    unused: excepted.filter((one) => !findings.some((finding) => covers(one, finding))),
  };
}
