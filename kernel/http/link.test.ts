import { equal } from "node:assert/strict";
import { test } from "node:test";
import { linkHeader } from "./link.ts";

test("links are relative and their values encoded", () => {
  const header = linkHeader([
    { rel: "first", path: "/v1/users" },
    {
      rel: "next",
      path: "/v1/users",
      query: [
        ["q", 'a>b&"c" ü'],
        ["page", undefined],
        ["limit", 20],
      ],
    },
  ]);
  equal(header, '</v1/users>; rel="first", </v1/users?q=a%3Eb%26%22c%22%20%C3%BC&limit=20>; rel="next"');
});
