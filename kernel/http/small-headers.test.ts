import { deepEqual, equal, match, notEqual, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../base/index.ts";
import { errors, Failure, invalid } from "../contract/index.ts";
import { errorAnswer } from "./errors.ts";
import { headerName } from "./headers.ts";
import { linkHeader } from "./link.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";
import { createRequestIds } from "./request-id.ts";

test("rate limit fields say the same in both families", () => {
  const headers = rateLimitHeaders({
    policy: "default",
    limit: 100,
    windowSeconds: 60,
    remaining: 49.7,
    resetEpochSeconds: 1_767_225_600.2,
    resetAfterSeconds: 30.1,
  });
  deepEqual(headers, {
    "x-ratelimit-limit": "100",
    "x-ratelimit-remaining": "49",
    "x-ratelimit-reset": "1767225601",
    "ratelimit-policy": '"default";q=100;w=60',
    ratelimit: '"default";r=49;t=31',
  });
});

test("a policy name is quoted, or refused when it cannot be", () => {
  const state = { limit: 1, windowSeconds: 1, remaining: -2, resetEpochSeconds: 1, resetAfterSeconds: 1 };
  equal(rateLimitHeaders({ ...state, policy: 'a"b' })["ratelimit"], '"a\\"b";r=0;t=1');
  throws(() => rateLimitHeaders({ ...state, policy: "ü" }), /printable ASCII/);
});

test("links are relative and their values encoded", () => {
  const header = linkHeader([
    { rel: "first", path: "/v1/users" },
    { rel: "next", path: "/v1/users", query: [["q", 'a>b&"c" ü'], ["page", undefined], ["limit", 20]] },
  ]);
  equal(header, '</v1/users>; rel="first", </v1/users?q=a%3Eb%26%22c%22%20%C3%BC&limit=20>; rel="next"');
});

test("a harmless request id is kept, any other replaced", () => {
  const idOf = createRequestIds(systemRandom);
  equal(idOf("abc-DEF_1.2"), "abc-DEF_1.2");
  const ids = new Set<string>();
  for (let count = 0; count < 200; count++) ids.add(idOf(undefined));
  equal(ids.size, 200);
  for (const header of ["", "a b", "a\n", "a".repeat(129), "ü", "a, b", ["a", "b"]]) {
    match(idOf(header), /^[0-9a-f]{32}$/);
    notEqual(idOf(header), header);
  }
});

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

test("whatever else was thrown says nothing but the request id", () => {
  for (const error of [new Error("password=hunter2"), new Failure(errors.internal, "hunter2", { details: [{ field: "hunter2", message: "" }] }), "hunter2", undefined]) {
    const answer = errorAnswer(error, "r-42");
    equal(answer.status, 500);
    ok(!String(answer.body).includes("hunter2"));
    ok(String(answer.body).includes("r-42"));
  }
});

test("header names are written as the documentation writes them", () => {
  equal(headerName("etag"), "ETag");
  equal(headerName("x-ratelimit-limit"), "X-RateLimit-Limit");
  equal(headerName("cache-control"), "Cache-Control");
  equal(headerName("www-authenticate"), "WWW-Authenticate");
});
