// The settings of an app that sends mail.

import type { SmtpOptions } from "../mail/index.ts";
import { publicUrlSetting, type Setting, type Settings, smtpSetting, textSetting } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export const mailVariables = {
  SMTP_URL: smtpSetting(
    "the server that mail is sent through, smtp://user:password@host:587 or smtps://...; without it mail is kept, and `ashlar mail` shows it",
  ),
  MAIL_FROM: mailFromSetting(),
  PUBLIC_URL: publicUrlSetting("http://localhost:3000", "where the pages of the app are; links in mails lead there"),
};

/** Who sends mail must say from whom, and where its links lead: the defaults are good for this machine only. */
export function neededForMail({ SMTP_URL }: Environment): Readonly<Record<string, Setting<unknown>>> {
  if (SMTP_URL === undefined || SMTP_URL === "") return {};
  return { MAIL_FROM: needed(mailVariables.MAIL_FROM), PUBLIC_URL: needed(mailVariables.PUBLIC_URL) };
}

export function smtpOf({ SMTP_URL, MAIL_FROM }: Partial<Settings<typeof mailVariables>>): SmtpOptions | undefined {
  return SMTP_URL === undefined ? undefined : { url: SMTP_URL, from: MAIL_FROM! };
}

function needed<T>(setting: Setting<T>): Setting<T> {
  return {
    ...setting,
    get absent(): T {
      throw new Error("is needed as well when SMTP_URL is set");
    },
  };
}

function mailFromSetting(): Setting<string | undefined> {
  const setting = textSetting("", "whom mail is from, such as shop@example.com or Shop <shop@example.com>");
  return {
    ...setting,
    fallback: undefined,
    absent: undefined,
    read(text) {
      if (!/^([^<>\r\n]* <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/.test(text))
        throw new Error("must be an address like shop@example.com, or Shop <shop@example.com>");
      return text;
    },
  };
}
