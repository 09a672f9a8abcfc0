// Two services that meet in every way in which services can, and say what they saw of each other: where one process and
// many could differ, an answer or a row of theirs would.

import {
  anyone,
  errors,
  event,
  get,
  integer,
  list,
  object,
  oneOf,
  post,
  service,
  servicesOnly,
  signedIn,
  text,
} from "ashlar/contract";

const word = text({ max: 2_000 });
const words = object({ words: list(word, { max: 20 }) });
const seen = object({ seen: word });
const kind = oneOf(["plain", "date", "undefined", "bigint"]);
const failure = oneOf(["refused", "detailed", "broken"]);

export const counted = event("note.counted", {
  aggregate: "not",
  summary: "One more",
  data: object({ number: integer() }),
});

export const answerer = service("answerer", {
  summary: "Is asked",
  subscribes: [counted.type],
  operations: {
    keep: post("/kept", {
      summary: "Keep the words, and change them",
      body: words,
      returns: words,
      access: servicesOnly,
    }),
    kept: get("/kept", { summary: "The words that were kept", returns: words, access: servicesOnly }),
    value: get("/values/{kind}", {
      summary: "A value that JSON has no word for",
      params: { kind },
      returns: object({ value: word }),
      access: servicesOnly,
    }),
    fail: post("/failures/{failure}", {
      summary: "Fail",
      params: { failure },
      access: servicesOnly,
      errors: [errors.conflict],
    }),
    remaining: get("/remaining", { summary: "How long it may take", returns: seen, access: servicesOnly }),
    who: get("/who", { summary: "Who asks", returns: seen, access: servicesOnly }),
    write: post("/notes", { summary: "Write a note", returns: seen, access: servicesOnly }),
    heard: get("/heard", { summary: "The numbers that were heard", returns: words, access: servicesOnly }),
  },
});

export const asker = service("asker", {
  summary: "Asks",
  events: [counted],
  operations: {
    exchange: post("/exchanges", {
      summary: "Change what was sent and what was answered",
      returns: seen,
      access: anyone,
    }),
    value: get("/values/{kind}", {
      summary: "What arrives of a value",
      params: { kind },
      returns: seen,
      access: anyone,
    }),
    failure: get("/failures/{failure}", {
      summary: "What arrives of a failure",
      params: { failure },
      returns: seen,
      access: anyone,
    }),
    failThrough: post("/failures/{failure}", {
      summary: "Pass a failure on",
      params: { failure },
      access: anyone,
      errors: [errors.conflict],
    }),
    remaining: get("/remaining", { summary: "How long the called may take", returns: seen, access: anyone }),
    who: get("/who", { summary: "Who the called takes for the caller", returns: seen, access: signedIn }),
    write: post("/notes", {
      summary: "Call within a transaction that fails",
      access: anyone,
      errors: [errors.conflict],
    }),
    count: post("/counts", { summary: "Announce five numbers of one aggregate", access: anyone, emits: [counted] }),
    heard: get("/heard", { summary: "The numbers that were heard", returns: words, access: anyone }),
  },
});
