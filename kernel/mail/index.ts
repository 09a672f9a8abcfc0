// Mail: due with the transaction that asked for it, sent by a job, kept where no server is configured.
export { sendMails, type CourierOptions, type MailTemplate } from "./courier.ts";
export { MailRefused, type Mail, type Mailer, type MailText } from "./mailer.ts";
export { insertMail, listMails, purgeMails, type ListedMail, type MailRequest } from "./mails.ts";
export { createSmtpMailer, type SmtpOptions } from "./smtp.ts";

/** The tables of this folder, for `migrate`. */
export const mailMigrations = { name: "ashlar.mail", directory: new URL("./migrations/", import.meta.url) };
