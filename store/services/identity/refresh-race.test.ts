// Two processes of one system on one database, asked to refresh the same token at once.

import { deepEqual, equal } from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { migrationsOf } from "ashlar/service";
import { createTestDatabase } from "ashlar/testing";
import { startIdentity } from "./fixture.ts";
import { identityService } from "./service.ts";

const rounds = 20;
const callers = 64;

const { url } = await createTestDatabase({
  migrations: migrationsOf(identityService({} as Parameters<typeof identityService>[0])),
});
const dataDirectory = await mkdtemp(join(tmpdir(), "ashlar-test-"));
after(() => rm(dataDirectory, { recursive: true, force: true }));
const settings = { databaseUrls: { users: url }, dataDirectory };
const processes = [await startIdentity({ settings }), await startIdentity({ settings })] as const;

test("R01 of 64 refreshes of one token in two processes all get one successor, round after round", async () => {
  const [here, there] = processes;
  await here.register("race@example.com");
  let { refreshToken } = await here.login("race@example.com");
  for (let round = 1; round <= rounds; round++) {
    const used = refreshToken;
    const answers = await Promise.all(
      Array.from({ length: callers }, (_, index) => (index % 2 === 0 ? here : there).refresh(used)),
    );
    deepEqual([...new Set(answers.map(({ status }) => status))], [200], `round ${round}`);
    equal(new Set(answers.map(({ json }) => json.refreshToken)).size, 1, `round ${round}`);
    const [row] = await here.sql(
      "select count(*)::int as tokens, count(*) filter (where superseded_at is null)::int as in_force from refresh_tokens",
    );
    deepEqual(row, { tokens: round + 1, in_force: 1 });
    refreshToken = answers[0]!.json.refreshToken;
  }
});
