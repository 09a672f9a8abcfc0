// The rules for passwords (NIST 800-63B-4, ASVS 6.2) at each of the three doors through which one comes in.

import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { createPasswords, type Passwords } from "ashlar/auth";
import { systemClock } from "ashlar/base";
import { bearer, cheapCost, password, startIdentity } from "./fixture.ts";

let hashed = 0;
const cheap = createPasswords({ clock: systemClock, cost: cheapCost });
const verify: Passwords["verify"] = (hash, secret) => {
  hashed += 1;
  return cheap.verify(hash, secret);
};
const passwords: Passwords = {
  hash(secret) {
    hashed += 1;
    return cheap.hash(secret);
  },
  verify,
  inTurn: (work) => work(verify),
};
const api = await startIdentity({ passwords });

let people = 0;
const name = "Annabelle Müller";

async function person(): Promise<string> {
  const email = `ann.mueller${(people += 1)}@example.com`;
  await api.register(email, { name });
  return email;
}

/** Each offers a password; answers the status, the field that was complained of, and whose it was. */
const doors: Record<string, (secret: string) => Promise<{ status: number; field: string; email: string }>> = {
  async registering(secret) {
    const email = `ann.mueller${(people += 1)}@example.com`;
    const answer = await api.post("/v1/users", { email, name, password: secret });
    return { status: answer.status, field: answer.json?.error?.details[0].field, email };
  },
  async changing(secret) {
    const email = await person();
    const by = bearer(await api.login(email));
    const body = { currentPassword: password, newPassword: secret };
    const answer = await api.request("PUT", "/v1/users/me/password", { body, ...by });
    return { status: answer.status, field: answer.json?.error.details[0].field, email };
  },
  async resetting(secret) {
    const email = await person();
    await api.clock.advance(1);
    await api.post("/auth/password/forgot", { email });
    await api.runJob("resetRequests");
    const { token } = (await api.mailsTo(email)).at(-1)!;
    const answer = await api.post("/auth/password/reset", { token, newPassword: secret });
    return { status: answer.status, field: answer.json?.error.details[0].field, email };
  },
};
const fieldOf = { registering: "password", changing: "newPassword", resetting: "newPassword" };
const statusOf = { registering: 201, changing: 204, resetting: 204 };

for (const [door, offer] of Object.entries(doors) as [keyof typeof fieldOf, (typeof doors)[string]][]) {
  const refused = async (secret: string) => {
    const { status, field } = await offer(secret);
    deepEqual([status, field], [400, fieldOf[door]], `${secret.slice(0, 40)} (${secret.length})`);
  };
  const accepted = async (secret: string) => {
    const { status, email } = await offer(secret);
    equal(status, statusOf[door], secret);
    ok(await api.login(email, secret));
    return email;
  };

  test(`L09 ${door}: 7 characters are refused, 8, 64 and 128 accepted and good to sign in, 129 refused`, async () => {
    await refused("k3vq9wz");
    for (const length of [8, 64, 128]) await accepted("k3vq9wzt".repeat(16).slice(0, length));
    await refused("k3vq9wzt".repeat(17).slice(0, 129));
    // Characters, not bytes: these are 32 bytes long, or four each.
    await refused("🔑🗝🐎🔋🧲🪑🎺");
    await accepted("🔑🗝🐎🔋🧲🪑🎺🪴");
  });

  test(`L11 ${door}: no composition is asked for; blanks, emoji and any script are fine`, async () => {
    for (const secret of [
      "only lower letters",
      "    spaces around    ",
      "пароль из слов",
      "馬の電池のホチキス",
      "🐎🔋🧲 staple it",
    ])
      await accepted(secret);
  });

  test(`L11 ${door}: composed and decomposed letters are one password`, async () => {
    const secret = "Ångström über Bücher";
    for (const [form, other] of [
      ["NFC", "NFD"],
      ["NFD", "NFC"],
    ] as const) {
      const email = await accepted(secret.normalize(form));
      ok(await api.login(email, secret.normalize(other)));
    }
  });

  test(`L10 ${door}: nothing is cut, trimmed or folded`, async () => {
    const secret = `${"x1".repeat(40)} and Then some`;
    const email = await accepted(secret);
    for (const other of [secret.slice(0, -1), `${secret} `, secret.toLowerCase(), `${"x1".repeat(40)} and Then sone`])
      equal((await api.post("/auth/login", { email, password: other })).status, 401);
  });

  test(`L12 ${door}: what is tried first, or made of what anybody knows, is refused`, async () => {
    for (const secret of ["password1", "Passw0rd", "12345678", "qwertyuiop", "ILOVEYOU", "zzzzzzzzzz"])
      await refused(secret);
    for (const secret of ["Annabelle1!", "annabellemüller", "mueller-1987", "example.com"]) await refused(secret);
    for (const secret of ["ashlar-demo", "Ashlar2026!", "Test-2026-Test"]) await refused(secret);
  });
}

test("L12 one's own email address is no password, in any case", async () => {
  for (const email of ["own.address@example.com", "Own.Address@Example.com"]) {
    const answer = await api.post("/v1/users", { email: "own.address@example.com", name, password: email });
    equal(answer.status, 400);
  }
});

test("L09 ten kilobytes are refused before anything is hashed, at every door and at the login", async () => {
  const email = await person();
  const by = bearer(await api.login(email));
  const long = "k3vq9wzt".repeat(1_280);
  const before = hashed;
  const answers = [
    await api.post("/v1/users", { email: "long@example.com", name, password: long }),
    await api.post("/auth/login", { email, password: long }),
    await api.post("/auth/password/reset", { token: "x", newPassword: long }),
    await api.request("PUT", "/v1/users/me/password", {
      body: { currentPassword: password, newPassword: long },
      ...by,
    }),
    await api.request("PUT", "/v1/users/me/password", {
      body: { currentPassword: long, newPassword: password },
      ...by,
    }),
  ];
  deepEqual(
    answers.map(({ status }) => status),
    [400, 400, 400, 400, 400],
  );
  equal(hashed, before);
});
