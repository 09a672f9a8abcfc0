import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { test } from "node:test";
import { certificateFor } from "../testing/certificates.ts";
import { startMailServer } from "./fixture.ts";
import { MailRefused } from "./mailer.ts";
import { createSmtpMailer } from "./smtp.ts";

const mail = {
  id: "01977777-7777-7777-8777-777777777777",
  to: "ann@example.com",
  subject: "Ashlar: bestätigen",
  text: "Grüße\n\nhttps://shop.example/verify-email#token=abc\n",
};
const from = "Shop <shop@example.org>";
const never = new AbortController().signal;
/** Reaches this machine by an address that is not known to be this machine. */
const elsewhere = "0.0.0.0";

function refusing(responseCode: number) {
  return (_address: unknown, _session: unknown, done: (error: Error) => void) =>
    done(Object.assign(new Error("No"), { responseCode }));
}

const passing = (error: Error) => !(error instanceof MailRefused);

test("a mail arrives at its one recipient, with what it says and under its own id", async () => {
  const { port, received } = await startMailServer();
  await createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from }).send(mail, never);
  const [{ source, ...envelope }] = received as [(typeof received)[0]];
  deepEqual(envelope, { from: "shop@example.org", to: ["ann@example.com"], encrypted: false, user: undefined });
  match(source, /^From: Shop <shop@example\.org>\r$/m);
  match(source, /^To: ann@example\.com\r$/m);
  match(source, /^Message-ID: <01977777-7777-7777-8777-777777777777@example\.org>\r$/m);
  match(source, /^Auto-Submitted: auto-generated\r$/m);
  match(source, /^Subject: =\?UTF-8\?/m);
  ok(source.includes("#token=3Dabc") || source.includes("#token=abc"));
});

test("a recipient is one address, and nothing in it becomes another recipient or a header", async () => {
  const { port, received } = await startMailServer();
  const mailer = createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from });
  await mailer.send({ ...mail, to: "a@example.com, b@example.com" }, never).catch(() => {});
  await mailer.send({ ...mail, to: "a@example.com\r\nBcc: b@example.com" }, never).catch(() => {});
  await mailer.send({ ...mail, subject: "Hello\r\nBcc: b@example.com" }, never);
  for (const { to, source } of received) {
    ok(to.length === 1 && !to.includes("b@example.com"));
    ok(!/^Bcc:/im.test(source));
  }
  ok(received.length > 0);
});

test("it signs in where the URL names a user, and is told apart from a refusal of the mail when it may not", async () => {
  const { port, received, signIns } = await startMailServer({ authOptional: false });
  await createSmtpMailer({ url: `smtp://me%40shop:right@127.0.0.1:${port}`, from }).send(mail, never);
  equal(received[0]!.user, "me@shop");
  await rejects(createSmtpMailer({ url: `smtp://me:wrong@127.0.0.1:${port}`, from }).send(mail, never), passing);
  deepEqual(signIns, ["me@shop:right", "me:wrong"]);
});

test("a 5xx for the recipient is for good; a 4xx, one for our sender, and no server at all are not", async () => {
  const send = (port: number) => createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from }).send(mail, never);
  await rejects(send((await startMailServer({ onRcptTo: refusing(550) })).port), MailRefused);
  await rejects(send((await startMailServer({ onRcptTo: refusing(450) })).port), passing);
  await rejects(send((await startMailServer({ onMailFrom: refusing(550) })).port), passing);
  await rejects(send(1), passing);
});

test("outside this machine nothing is said before the connection is encrypted", async () => {
  const plain = await startMailServer();
  const url = ({ port }: { port: number }) => `smtp://me:right@${elsewhere}:${port}`;
  await rejects(createSmtpMailer({ url: url(plain), from }).send(mail, never), /STARTTLS/);
  const unknown = await startMailServer({ disabledCommands: [], ...certificateFor(elsewhere) });
  await rejects(createSmtpMailer({ url: url(unknown), from }).send(mail, never), /self-signed certificate/);
  deepEqual([plain.signIns, unknown.signIns, plain.received, unknown.received], [[], [], [], []]);
});

test("with a certificate for the server's name it is sent, by STARTTLS or with TLS at once", async (t) => {
  const [certificate, otherName] = [certificateFor(elsewhere), certificateFor("192.0.2.1")];
  const before = getCACertificates();
  setDefaultCACertificates([...before, certificate.cert, otherName.cert]);
  t.after(() => setDefaultCACertificates(before));
  const upgraded = await startMailServer({ disabledCommands: [], ...certificate });
  await createSmtpMailer({ url: `smtp://me:right@${elsewhere}:${upgraded.port}`, from }).send(mail, never);
  const atOnce = await startMailServer({ secure: true, ...certificate });
  await createSmtpMailer({ url: `smtps://me:right@${elsewhere}:${atOnce.port}`, from }).send(mail, never);
  deepEqual([upgraded.received[0]!.encrypted, atOnce.received[0]!.encrypted], [true, true]);
  const another = await startMailServer({ secure: true, ...otherName });
  await rejects(
    createSmtpMailer({ url: `smtps://${elsewhere}:${another.port}`, from }).send(mail, never),
    /does not match certificate/,
  );
});

test("an abort ends the conversation where it is", async () => {
  const abort = new AbortController();
  const { port, received } = await startMailServer({ onRcptTo: () => abort.abort() });
  await rejects(createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from }).send(mail, abort.signal), passing);
  ok(abort.signal.aborted);
  equal(received.length, 0);
});
