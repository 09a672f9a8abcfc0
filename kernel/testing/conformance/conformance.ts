// One suite for every resource of every contract: each line of the HTTP conventions, over real HTTP.
//
// It reads the contract to know what must hold (which operations there are, who may, what can be
// filtered, which versions exist), so a resource gets new checks when its contract grows, and a check
// that does not concern a resource is not run for it.

import { rateClasses } from "../../runtime/index.ts";
import { checkAccess } from "./access.ts";
import { openBench } from "./bench.ts";
import { checkBodies } from "./bodies.ts";
import { checkBulk } from "./bulk.ts";
import { checkChanges } from "./changes.ts";
import { checkConditions } from "./conditions.ts";
import { checkCursors } from "./cursors.ts";
import { checkDeletion } from "./deletion.ts";
import { checkErrors } from "./errors.ts";
import { checkFilters } from "./filters.ts";
import { checkFreshReads } from "./fresh-reads.ts";
import { checkHeaders } from "./headers.ts";
import { checkIdempotency } from "./idempotency.ts";
import { checkLimits } from "./limits.ts";
import { checkLists } from "./lists.ts";
import { checkMethods } from "./methods.ts";
import { checkOrder } from "./order.ts";
import { checkRaces } from "./races.ts";
import { checkRestoring } from "./restoring.ts";
import { checkSorting } from "./sorting.ts";
import type { Subject } from "./subject.ts";
import { checkText } from "./text.ts";
import { checkVersions } from "./versions.ts";

/** Few enough to exhaust, slow enough to see what each request costs. */
const limitedSettings = { limits: { maxRequests: 5, windowMs: 60_000 }, corsOrigins: ["https://shop.example"] };

/**
 * Registers the tests of a resource: call it at the top level of a test file, with `await`.
 * It starts two systems of its own, so what the file does elsewhere cannot disturb it.
 */
export async function conformance(subject: Subject): Promise<void> {
  const bench = await openBench(subject);
  const sections = [
    checkMethods,
    checkAccess,
    checkOrder,
    checkErrors,
    checkBodies,
    checkText,
    checkChanges,
    checkConditions,
    checkRaces,
    checkFreshReads,
    checkIdempotency,
    checkBulk,
    checkDeletion,
    checkRestoring,
    checkLists,
    checkSorting,
    checkCursors,
    checkFilters,
    checkVersions,
    checkHeaders,
  ];
  for (const section of sections) section(bench);

  const { limits, corsOrigins } = limitedSettings;
  const classes = rateClasses([subject.contract]).map((name) => [name, limits] as const);
  checkLimits(await openBench(subject, { corsOrigins, limits: Object.fromEntries(classes) }), limits);
}
