// `ashlar mail`: the newest mails, as their recipients read them. Where no server is configured this is the
// mailbox. The text is made here, since it is stored nowhere: a link in it holds a token.

import { styleText } from "node:util";
import { silentLogger } from "../base/index.ts";
import { listMails, type ListedMail, type MailTemplate, type MailText } from "../mail/index.ts";
import { openDatabases } from "./databases.ts";
import { findApp, settingsOf } from "./find-app.ts";
import { createRestingPlatform } from "./resting-platform.ts";

interface ShownMail extends Pick<ListedMail, "id" | "to" | "createdAt" | "reason">, MailText {
  /** Kept: no server is configured to send it. */
  state: ListedMail["state"] | "kept";
}

/** To a person on a terminal, else one JSON object a line. The newest comes last. */
export async function showMails({ limit, to }: { limit: number; to?: string }): Promise<void> {
  const found = await findApp();
  const { system } = settingsOf(found);
  const { definition } = found.app;
  const { databases, close } = await openDatabases(found, system, { create: false, log: silentLogger });
  const shown: ShownMail[] = [];
  try {
    for (const { contract, mails } of definition.services(await createRestingPlatform(definition.title, system))) {
      const listed = await listMails(databases.get(contract.database)!, { limit, ...(to === undefined ? {} : { to }) });
      const own = listed.filter(({ template }) => template in mails);
      shown.push(...own.map((mail) => toShown(mail, mails[mail.template]!, system.smtp === undefined)));
    }
  } finally {
    await close();
  }
  const newest = shown.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(-limit);
  for (const mail of newest) process.stdout.write(process.stdout.isTTY ? forPerson(mail) : `${JSON.stringify(mail)}\n`);
  if (newest.length === 0 && process.stdout.isTTY) process.stdout.write("There is no mail.\n");
}

function toShown(mail: ListedMail, template: MailTemplate, isKept: boolean): ShownMail {
  const { id, to, createdAt, state, reason, data } = mail;
  return { id, to, createdAt, state: isKept && state === "waiting" ? "kept" : state, reason, ...template(data) };
}

function forPerson({ to, subject, text, createdAt, state, reason }: ShownMail): string {
  const outcome = reason === null ? state : `${state}: ${reason}`;
  const heading = `${styleText("bold", to)}  ${styleText("dim", `${createdAt}  ${outcome}`)}`;
  return `\n${heading}\n${styleText("cyan", subject)}\n\n${text.replaceAll(/^(?=.)/gm, "  ")}\n`;
}
