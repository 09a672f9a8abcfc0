import { equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { passwordIssue } from "./password-policy.ts";

const about = { email: "ann.miller@example.com", name: "Annabelle Miller" };

test("L09 7 characters are refused, 8 to 128 accepted, 129 refused", () => {
  match(passwordIssue("k3vq9wz")!, /at least 8/);
  for (const length of [8, 64, 128]) equal(passwordIssue("k3vq9wzt".repeat(16).slice(0, length)), undefined);
  match(passwordIssue(`${"k3vq9wzt".repeat(16)}x`)!, /at most 128/);
  match(passwordIssue("k3vq9wzt".repeat(1_280))!, /at most 128/);
});

test("length counts code points of the composed form", () => {
  match(passwordIssue("🔑🗝🐎🔋🧲🪑🎺")!, /at least 8/);
  equal(passwordIssue("🔑🗝🐎🔋🧲🪑🎺🪴"), undefined);
  match(passwordIssue("ånåröéü".normalize("NFD"))!, /at least 8/);
});

test("L11 no composition is asked for; blanks, letters only and other scripts are fine", () => {
  for (const password of ["correct horse battery staple", "only lower letters", "пароль из слов", "        x y"])
    equal(passwordIssue(password, about), undefined, password);
});

test("L12 passwords that are tried first are refused in any case", () => {
  for (const password of [
    "password",
    "Password1",
    "PASSW0RD",
    "12345678",
    "qwertyuiop",
    "iloveyou",
    "sunshine",
    "1q2w3e4r",
    "princess",
    "trustno1",
    "football1",
    "zzzzzzzzzzzzz",
    "qwerty123",
    "changeme",
  ]) {
    ok(passwordIssue(password), password);
  }
});

test("L12 a part of such a password is none, nor are two of them in two lines", () => {
  for (const password of ["wertyuio", "12345678\n123456789", "password\npassword1"])
    equal(passwordIssue(password), undefined, password);
});

test("L12 what anybody knows about the account is refused, alone and with digits and signs", () => {
  for (const password of [
    "ann.miller@example.com",
    "ANN.MILLER@EXAMPLE.COM",
    "ann.miller",
    "Annabelle Miller",
    "annabelle",
    "annabellemiller",
    "Miller2026!",
    "miller-1987",
    "MillerMiller",
  ]) {
    ok(passwordIssue(password, about), password);
    equal(passwordIssue(`${password}${password.length < 12 ? " und noch etwas" : " plus x"}`, about), undefined);
  }
});

test("L12 the name of the product and the demo password are refused", () => {
  for (const password of ["ashlar123", "AshlarAshlar", "ashlar-demo", "ashlar2026!"])
    ok(passwordIssue(password), password);
});

test("L12 the name of the service is refused, whatever it is called", () => {
  const service = "Blumen Königs";
  for (const password of ["blumen2026!", "Königs-1234", "BlumenKönigs", "Blumen Königs 1"]) {
    ok(passwordIssue(password, { service }), password);
    equal(passwordIssue(password), undefined, password);
  }
  equal(passwordIssue("blumen giessen", { service }), undefined);
});

test("without an email and a name only the password itself is looked at", () => {
  equal(passwordIssue("annabelle miller"), undefined);
  equal(passwordIssue("k3vq9wzt", { email: "", name: "" }), undefined);
});
