// Mail through an SMTP server.
//
// Outside this machine nothing is sent, and no password given away, before the connection is encrypted
// and the server has shown a certificate for its name: a server that offers no STARTTLS is an error, not a
// reason to go on without. On this machine there is no one to listen, and test servers have no certificate.

import { createRequire } from "node:module";
import { type Mail, type Mailer, MailRefused } from "./mailer.ts";

export interface SmtpOptions {
  /** `smtp://user:password@host:587`, with STARTTLS, or `smtps://` with TLS from the first byte. */
  url: string;
  /** Whom mails are from: `shop@example.com`, or `Shop <shop@example.com>`. */
  from: string;
}

const connectTimeoutMs = 10_000;
const silenceTimeoutMs = 15_000;

export function createSmtpMailer({ url, from }: SmtpOptions): Mailer {
  const server = new URL(url);
  const host = server.hostname.replace(/^\[|\]$/g, "");
  const isLocal = isLoopback(host);
  // Loaded where there is a server to send through: without one it would only take memory.
  const { createTransport } = createRequire(import.meta.url)("nodemailer") as typeof import("nodemailer");
  const transport = createTransport({
    host,
    ...(server.port === "" ? {} : { port: Number(server.port) }),
    secure: server.protocol === "smtps:",
    requireTLS: !isLocal,
    ignoreTLS: isLocal,
    tls: { minVersion: "TLSv1.2" },
    ...(server.username === ""
      ? {}
      : { auth: { user: decodeURIComponent(server.username), pass: decodeURIComponent(server.password) } }),
    dnsTimeout: connectTimeoutMs,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: silenceTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = domainOf(from);
  return {
    async send(mail, signal) {
      try {
        await transport.sendMail({ ...messageOf(mail, domain), from, signal });
      } catch (error) {
        throw isRefusal(error) ? new MailRefused((error as Error).message, { cause: error }) : error;
      }
    },
  };
}

function messageOf({ id, to, subject, text }: Mail, domain: string) {
  return {
    // An object, so that it is one address and never read as a list of them.
    to: { name: "", address: to },
    subject,
    text,
    messageId: `<${id}@${domain}>`,
    // Asks programs that answer by themselves ("I am on holiday") not to.
    headers: { "Auto-Submitted": "auto-generated" },
  };
}

/** A refusal for good of this recipient or this text. One of our sign-in or sender is ours to repair, and may pass later. */
function isRefusal(error: unknown): boolean {
  const { permanent, command = "" } = error as { permanent?: boolean; command?: string };
  return permanent === true && (command === "RCPT TO" || command === "DATA");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function domainOf(from: string): string {
  return /@([^@>\s]+)>?\s*$/.exec(from)?.[1] ?? "localhost";
}
