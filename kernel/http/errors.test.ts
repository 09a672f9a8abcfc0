import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { errors, Failure, invalid } from "../contract/index.ts";
import { errorAnswer } from "./errors.ts";

test("a failure is answered in the envelope or as problem details, with its headers", () => {
  const failure = invalid([{ field: "items[0].quantity", message: "must be a positive integer" }]);
  deepEqual(JSON.parse(String(errorAnswer(failure, "r1").body)), {
    error: {
      code: "VALIDATION_ERROR",
      message: "The request is not valid",
      details: [{ field: "items[0].quantity", message: "must be a positive integer" }],
    },
  });
  const problem = errorAnswer(failure, "r1", "problem");
  equal(problem.headers["content-type"], "application/problem+json");
  deepEqual(JSON.parse(String(problem.body)), {
    type: "about:blank",
    title: "Bad Request",
    status: 400,
    detail: "The request is not valid",
    code: "VALIDATION_ERROR",
    errors: failure.details,
  });
  const limited = errorAnswer(new Failure(errors.rateLimited, "x", { headers: { "retry-after": "3" } }), "r1");
  equal(limited.headers["retry-after"], "3");
  equal(limited.headers["cache-control"], "no-store");
});

test("G16 whatever else was thrown says nothing but the request id", () => {
  for (const error of [
    new Error("password=hunter2"),
    new Failure(errors.internal, "hunter2", { details: [{ field: "hunter2", message: "" }] }),
    "hunter2",
    undefined,
  ]) {
    const answer = errorAnswer(error, "r-42");
    equal(answer.status, 500);
    ok(!String(answer.body).includes("hunter2"));
    ok(String(answer.body).includes("r-42"));
  }
});
