// Where the tour plays: sends requests as somebody, prints what goes and what comes, and stops at the
// first answer that is not what the story expects.

import type { Clock } from "ashlar/base";
import { showAnswer, showNote, showRequest } from "./show.ts";

export interface Person {
  readonly name: string;
  token?: string;
}

export interface Line {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** The status that the story expects. */
  readonly expect: number;
  /** Headers of the answer worth a look here, beside the usual ones. */
  readonly look?: readonly string[];
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface Stage {
  play<T>(person: Person, line: Line): Promise<Answer<T>>;
  /** Repeats a GET until its answer is as hoped, and shows the last one. */
  playUntil<T>(person: Person, line: Line, hope: { what: string; holds(body: T): boolean }): Promise<Answer<T>>;
}

/** Why the tour ended early, in a sentence for who watches it. */
export class TourError extends Error {
  override name = "TourError";
}

const patienceMs = 15_000;
const pauseMs = 100;
const limitedTriesMax = 3;

export function createStage(url: string, clock: Clock): Stage {
  return {
    async play<T>(person: Person, line: Line) {
      showRequest(person, line);
      const answer = await sendPatiently<T>(url, clock, person, line);
      showAnswer(answer, line);
      return expectStatus(line, answer);
    },
    async playUntil<T>(person: Person, line: Line, { what, holds }: { what: string; holds(body: T): boolean }) {
      showRequest(person, line);
      const startMs = clock.nowMs();
      for (;;) {
        const answer = await sendPatiently<T>(url, clock, person, line);
        const waitedMs = clock.nowMs() - startMs;
        const done = answer.status !== line.expect || holds(answer.body);
        if (!done && waitedMs < patienceMs) {
          await clock.sleep(pauseMs);
          continue;
        }
        if (waitedMs >= pauseMs) showNote(`asked again for ${(waitedMs / 1000).toFixed(1)} s`);
        showAnswer(answer, line);
        if (!done) throw new TourError(`${what}: this did not happen within ${patienceMs / 1000} s.`);
        return expectStatus(line, answer);
      }
    },
  };
}

/** A limit that is reached is no failure: the answer says when to come back. */
async function sendPatiently<T>(url: string, clock: Clock, person: Person, line: Line): Promise<Answer<T>> {
  for (let tries = 1; ; tries++) {
    const answer = await send<T>(url, person, line);
    if (answer.status !== 429 || tries === limitedTriesMax) return answer;
    const waitSeconds = Number(answer.headers.get("retry-after") ?? 1);
    showNote(`429, limit reached: waiting ${waitSeconds} s as Retry-After says`);
    await clock.sleep(waitSeconds * 1000);
  }
}

async function send<T>(url: string, { token }: Person, { method, path, body, headers }: Line): Promise<Answer<T>> {
  const request: RequestInit = {
    method,
    headers: {
      accept: "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: "manual",
  };
  const response = await fetch(`${url}${path}`, request).catch((cause: Error) => {
    throw new TourError(
      `There is no store at ${url} (${reasonOf(cause)}). Start one with \`npm start\`, or say where it is: npm run tour -- http://host:port`,
      { cause },
    );
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === "" ? undefined : parse(text, url)) as T,
  };
}

function reasonOf({ message, cause }: Error): string {
  const { code } = (cause ?? {}) as { code?: string };
  return code ?? message;
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TourError(`What answers at ${url} is not a store: it does not speak JSON.`, { cause });
  }
}

function expectStatus<T>({ method, path, expect }: Line, answer: Answer<T>): Answer<T> {
  if (answer.status === expect) return answer;
  const { error } = (answer.body ?? {}) as { error?: { code: string; message: string } };
  const said = error === undefined ? "" : `, ${error.code}: ${error.message.replace(/\.$/, "")}`;
  throw new TourError(
    `${method} ${path} should have been answered with ${expect}. The answer was ${answer.status}${said}.`,
  );
}

/** Stops the tour when something in an answer is not as the story has it. */
export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new TourError(`This should hold and does not: ${what}.`);
}
