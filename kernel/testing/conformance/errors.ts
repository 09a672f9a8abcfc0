// The envelope and problem details: one form for every refusal, whoever refuses.

import { strict as assert } from "node:assert";
import { connect } from "node:net";
import { errorCatalogue } from "../../contract/index.ts";
import type { TestAnswer } from "../client.ts";
import { type Bench, nobody } from "./bench.ts";

const leaks = /\bat .+\.ts|node_modules|select |insert |postgres|127\.0\.0\.1|localhost|_key\b|ECONN/i;

export function checkErrors(bench: Bench): void {
  const { check, system, subject } = bench;

  check("every refusal is the envelope with a code of the documented list and that code's status", async () => {
    const statuses = new Map(errorCatalogue([subject.contract]).map(({ code, status }) => [code, status]));
    for (const answer of await refusals(bench, {})) {
      assert.match(answer.headers.get("content-type")!, /^application\/json(;|$)/);
      assert.deepEqual(Object.keys(answer.json), ["error"]);
      assert.deepEqual(Object.keys(answer.json.error), ["code", "message", "details"]);
      const { code, message, details } = answer.json.error;
      assert.equal(statuses.get(code), answer.status, `${code} with ${answer.status}`);
      assert.ok(typeof message === "string" && message.length > 0 && Array.isArray(details));
      for (const detail of details) assert.deepEqual(Object.keys(detail), ["field", "message"]);
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.match(answer.headers.get("x-request-id")!, /^[\w.-]{1,128}$/);
      assert.doesNotMatch(answer.text, leaks);
    }
  });

  check("problem details are answered to whoever prefers them, with the same code and errors", async () => {
    const envelopes = await refusals(bench, { accept: "application/json, application/problem+json;q=0.5" });
    const problems = await refusals(bench, { accept: "application/problem+json, application/json;q=0.5" });
    for (const [index, problem] of problems.entries()) {
      const { code, message, details } = envelopes[index]!.json.error;
      assert.match(problem.headers.get("content-type")!, /^application\/problem\+json(;|$)/);
      const { type, title, ...rest } = problem.json;
      assert.ok(typeof type === "string" && typeof title === "string");
      assert.deepEqual(rest, { status: problem.status, detail: message, code, errors: details });
      assert.equal(problem.headers.get("cache-control"), "no-store");
    }
  });

  check("even what is not HTTP gets the envelope", async () => {
    const answer = await raw(new URL(system.url), "NONSENSE\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))).error.code, "BAD_REQUEST");
  });
}

/** A handful of refusals from every layer. */
async function refusals(
  { ask, collection, item, unknownId, has }: Bench,
  headers: Record<string, string>,
): Promise<TestAnswer[]> {
  return Promise.all([
    ask("GET", "/v1/there-is-nothing-here", { headers }),
    ask("PROPFIND", collection, { headers }),
    ask("GET", `${collection}/%ZZ`, { headers }),
    ask("GET", "/v1//", { headers }),
    ask("GET", `${collection}?version=999`, { headers }),
    ...(has("list")
      ? ["nonsense=1", "limit=0", "cursor=x", "sort=%27"].map((query) =>
          ask("GET", `${collection}?${query}`, { headers }),
        )
      : []),
    ...(has("get") ? [ask("GET", item(unknownId), { headers })] : []),
    ...(has("create")
      ? [
          ask("POST", collection, { headers, body: "{" }),
          ask("POST", collection, { headers, body: {} }),
          ask("POST", collection, { headers: { ...headers, "content-type": "text/plain" }, body: "{}" }),
        ]
      : []),
    ...(has("remove")
      ? [ask("DELETE", item(unknownId), { headers, as: nobody }), ask("DELETE", item(unknownId), { headers })]
      : []),
  ]);
}

function raw({ hostname, port }: URL, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
    socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
    socket.on("error", reject).on("close", () => resolve(answer));
  });
}
