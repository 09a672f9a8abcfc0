import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { type Logger, silentLogger } from "../base/index.ts";
import { anyone, errorCode, event, get, object, service } from "../contract/index.ts";
import { checkDefinition } from "./check-definition.ts";

const summary = "Notes";
const made = event("note.made", { aggregate: "not", summary: "A note was made", data: object({}) });

function warningsOf(run: (log: Logger) => void): unknown[] {
  const warnings: unknown[] = [];
  run({ ...silentLogger, warn: (fields) => void warnings.push(fields) });
  return warnings;
}

test("services have a name and a database of their own", () => {
  const one = service("notes", { summary });
  checkDefinition([one, service("others", { summary })], silentLogger);
  throws(() => checkDefinition([one, service("notes", { summary })], silentLogger), /Two services are called notes/);
  throws(
    () => checkDefinition([one, service("others", { summary, database: "notes" })], silentLogger),
    /Services notes and others both own the database "notes"/,
  );
});

test("an error code has one status in all services", () => {
  const of = (name: string, status: number) =>
    service(name, {
      summary,
      operations: {
        look: get(`/${name}`, { summary, access: anyone, errors: [errorCode("ODD", status, "Odd")] }),
      },
    });
  throws(() => checkDefinition([of("one", 409), of("two", 422)], silentLogger), /ODD has two statuses/);
  checkDefinition([of("one", 409), of("two", 409)], silentLogger);
});

test("a subscription to what nobody declares is a warning, one that is declared is none", () => {
  const emitting = service("notes", { summary, events: [made] });
  const listening = service("others", { summary, subscribes: ["note.made", "note.lost"] });
  deepEqual(
    warningsOf((log) => checkDefinition([emitting, listening], log)),
    [{ service: "others", types: ["note.lost"] }],
  );
  const sound = service("others", { summary, subscribes: ["note.made"] });
  deepEqual(
    warningsOf((log) => checkDefinition([emitting, sound], log)),
    [],
  );
});
