/** What a mail says. Plain text: every program shows it, and none loads anything for it. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
}

export interface Mail extends MailText {
  readonly id: string;
  readonly to: string;
}

/** What hands mails on to where they are delivered. */
export interface Mailer {
  /** Resolves when the other side has taken it over. Rejects with MailRefused when trying again is of no use. */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
}

/** The other side will not take this mail, however often it is offered. */
export class MailRefused extends Error {
  override name = "MailRefused";
}
