// What the tests of this folder share: the service on a real database behind real HTTP, and people who use it.

import { createPasswords, type PasswordCost, type Passwords } from "ashlar/auth";
import { decodeId, systemClock } from "ashlar/base";
import { listMails } from "ashlar/mail";
import type { Implementation } from "ashlar/service";
import {
  startTestSystem,
  type TestAnswer,
  type TestRequest,
  type TestSystem,
  type TestSystemOptions,
} from "ashlar/testing";
import { identity } from "./contract.ts";
import type { Policy } from "./parts.ts";
import { identityService } from "./service.ts";

/** Hashing that costs next to nothing. */
export const cheapCost: PasswordCost = { memoryKiB: 64, passes: 1 };
export const password = "correct horse battery";

export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

export interface IdentitySystem extends TestSystem {
  post(path: string, body: unknown, request?: TestRequest): Promise<TestAnswer>;
  /** Registers someone and answers the user. */
  register(email: string, more?: object): Promise<{ id: string; version: number }>;
  login(email: string, secret?: string): Promise<Tokens>;
  refresh(token: string): Promise<TestAnswer>;
  /** What `GET /v1/users/{id}` answers to this token. */
  statusFor(tokens: Tokens, path?: string): Promise<number>;
  /** Makes someone an admin, without the API. */
  promote(id: string): Promise<void>;
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** Runs a job of the service now. */
  runJob(name: "revocations" | "sessions" | "resetRequests" | "links"): Promise<void>;
  /** The mails to an address, the newest last, with the token of the link in each. */
  mailsTo(email: string): Promise<LinkMail[]>;
}

export interface LinkMail {
  template: string;
  subject: string;
  text: string;
  token: string;
}

export interface IdentityOptions extends Pick<TestSystemOptions, "settings" | "log"> {
  policy?: Partial<Policy>;
  passwords?: Passwords;
}

export async function startIdentity({
  policy = {},
  passwords,
  ...options
}: IdentityOptions = {}): Promise<IdentitySystem> {
  let implementation: Implementation | undefined;
  const cheap = passwords ?? createPasswords({ clock: systemClock, cost: cheapCost });
  const system = await startTestSystem({
    ...options,
    definition: {
      name: "test",
      title: "Test",
      version: "1.0.0",
      contracts: [identity],
      apiKeys: identity.operations.identifyApiKey,
      endedTokens: identity.operations.listEndedTokens,
      services: (platform) => [(implementation = identityService({ ...platform, passwords: cheap, policy }))],
    },
  });
  // No deliveries, no jobs but those a test runs: they look at the clock every second or two, and here it
  // is moved by weeks.
  await system.system.services.get("identity")!.stop();
  const post: IdentitySystem["post"] = (path, body, request) => system.request("POST", path, { ...request, body });
  const sql: IdentitySystem["sql"] = (text, values) => system.rows("identity", text, values);
  return {
    ...system,
    post,
    sql,
    register: async (email, more = {}) =>
      expect(201, await post("/v1/users", { email, name: "Test Person", password, ...more })),
    login: async (email, secret = password) => expect(200, await post("/auth/login", { email, password: secret })),
    refresh: (refreshToken) => post("/auth/refresh", { refreshToken }),
    statusFor: async ({ accessToken }, path = "/v1/users/me") =>
      (await system.request("GET", path, { authorization: `Bearer ${accessToken}` })).status,
    promote: async (id) => void (await sql("update users set roles = '{admin}' where id = $1", [uuidOf(id)])),
    async mailsTo(email) {
      const mails = await listMails(system.system.services.get("identity")!.parts.database, { limit: 100, to: email });
      return mails.map(({ template, data }) => {
        const { subject, text } = implementation!.mails[template]!(data);
        return { template, subject, text, token: /#token=(\S+)/.exec(text)![1]! };
      });
    },
    runJob: (name) => implementation!.jobs[name]!.run(system.system.services.get("identity")!.contextFor("test")),
  };
}

export function bearer({ accessToken }: Tokens): { authorization: string } {
  return { authorization: `Bearer ${accessToken}` };
}

function expect<T>(status: number, answer: TestAnswer): T {
  if (answer.status !== status) throw new Error(`Expected ${status}, got ${answer.status}: ${answer.text}`);
  return answer.json as T;
}

export function uuidOf(id: string): string {
  return decodeId(id.slice(0, id.indexOf("_")), id)!;
}
