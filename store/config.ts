// Every variable of the environment the store reads. Nothing else in the store reads it.

import { createAddressReader, createCors } from "ashlar/http";
import {
  type AppSettings,
  choiceSetting,
  limitSetting,
  listSetting,
  logLevels,
  portSetting,
  postgresSetting,
  publicUrlSetting,
  readSettings,
  type Setting,
  smtpSetting,
  textSetting,
} from "ashlar/runtime";

type Environment = Readonly<Record<string, string | undefined>>;

const database = (name: string) =>
  postgresSetting(
    `PostgreSQL 15 or newer for ${name}, postgres://user:password@host:5432/name; without it the store runs its own`,
  );

export const variables = {
  PORT: portSetting(3000, "the port of the API; 0 takes a free one"),
  HOST: textSetting("127.0.0.1", "the address to listen on; 0.0.0.0 is every IPv4 address of the machine"),
  ASHLAR_DATA: textSetting(".ashlar", "the folder of the keys and of the store's own PostgreSQL"),
  USERS_DATABASE_URL: database("users and sessions"),
  CATALOG_DATABASE_URL: database("products and their stock"),
  ORDERS_DATABASE_URL: database("carts and orders"),
  // A person who clicks and pastes stays far below these; a script that runs away does not.
  LIMIT_DEFAULT: limitSetting("600/60s", 'requests of one user, such as 600/60s; "off" for none, here and below'),
  LIMIT_ANONYMOUS: limitSetting("300/60s", "requests without a token from one address"),
  LIMIT_AUTH: limitSetting("20/60s", "logins, registrations and the like from one address, and for one account"),
  SMTP_URL: smtpSetting(
    "the server that mail is sent through, smtp://user:password@host:587 or smtps://...; without it mail is kept, and `ashlar mail` shows it",
  ),
  MAIL_FROM: mailFromSetting(),
  PUBLIC_URL: publicUrlSetting(
    "http://localhost:3000",
    "where the pages of the shop are; mails link to /verify-email#token=... and /reset-password#token=... there",
  ),
  TRUSTED_PROXIES: checkedList(
    "addresses and ranges of proxies whose X-Forwarded-For is believed, separated by commas",
    (ranges) => void createAddressReader(ranges),
    "must be addresses or ranges, such as 10.0.0.0/8,192.0.2.7",
  ),
  CORS_ORIGINS: checkedList(
    "origins whose pages may call the API, separated by commas",
    (origins) => void createCors({ origins }),
    "must be origins as browsers send them, such as https://shop.example, and * is none",
  ),
  DEMO_PASSWORD: demoPasswordSetting(),
  LOG_LEVEL: choiceSetting(
    logLevels,
    "info",
    `${logLevels.join(", ")}; debug also shows the stack of what ends a command`,
  ),
  NODE_ENV: choiceSetting(
    ["development", "test", "production"],
    "development",
    "production is without demo data and without the check of every answer",
  ),
  INTERNAL_PORT: notYet("the port of /metrics"),
  REDIS_URL: notYet("a cache that several processes share"),
  NATS_URL: notYet("a bus that several processes share"),
} satisfies Record<string, Setting<unknown>>;

const requestTimeoutMs = 30_000;
/** Many times what a sign-in takes on an idle machine, and less than a person notices. */
const refusalStepMs = 250;

export interface StoreSettings extends Omit<AppSettings, "demo"> {
  readonly production: boolean;
  readonly demoPassword: string;
}

/** Throws a SettingsError that names every mistake. */
export function readStoreSettings(environment: Environment): StoreSettings {
  const values = readSettings({ ...variables, ...unknownLimits(environment), ...neededWith(environment) }, environment);
  const production = values.NODE_ENV === "production";
  return {
    production,
    demoPassword: values.DEMO_PASSWORD,
    logLevel: values.LOG_LEVEL,
    system: {
      port: values.PORT,
      host: values.HOST,
      dataDirectory: values.ASHLAR_DATA,
      databaseUrls: {
        users: values.USERS_DATABASE_URL,
        catalog: values.CATALOG_DATABASE_URL,
        orders: values.ORDERS_DATABASE_URL,
      },
      limits: { default: values.LIMIT_DEFAULT, anonymous: values.LIMIT_ANONYMOUS, auth: values.LIMIT_AUTH },
      trustedProxies: values.TRUSTED_PROXIES,
      corsOrigins: values.CORS_ORIGINS,
      issuer: "ashlar-store",
      publicUrl: values.PUBLIC_URL,
      smtp: values.SMTP_URL === undefined ? undefined : { url: values.SMTP_URL, from: values.MAIL_FROM! },
      requestTimeoutMs,
      refusalStepMs,
      checkAnswers: !production,
    },
  };
}

/** Where the tour finds a store that was started in this environment, and how it logs in. */
export function readTourSettings(): { url: string; password: string } {
  const { PORT, DEMO_PASSWORD } = variables;
  const values = readSettings({ PORT, DEMO_PASSWORD }, process.env);
  return { url: `http://localhost:${values.PORT}`, password: values.DEMO_PASSWORD };
}

/** A misspelled limit would leave the real one at its default, unnoticed. */
function unknownLimits(environment: Environment): Record<string, Setting<undefined>> {
  const known = Object.keys(variables).filter((name) => name.startsWith("LIMIT_"));
  const unknown = Object.keys(environment).filter((name) => name.startsWith("LIMIT_") && !known.includes(name));
  return Object.fromEntries(
    unknown.map((name) => [name, refused(name, `is not a limit of the store; there are ${known.join(", ")}`)]),
  );
}

/** Who sends mail must say from whom, and where its links lead: the defaults are good for this machine only. */
function neededWith({ SMTP_URL }: Environment): {
  MAIL_FROM?: Setting<string | undefined>;
  PUBLIC_URL?: Setting<string>;
} {
  if (SMTP_URL === undefined || SMTP_URL === "") return {};
  return { MAIL_FROM: needed(variables.MAIL_FROM), PUBLIC_URL: needed(variables.PUBLIC_URL) };
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

/** Known, and refused rather than ignored: who sets it counts on what it does. */
function notYet(meaning: string): Setting<undefined> {
  return refused(`${meaning}; not there yet`, "is not supported yet: unset it");
}

function refused(meaning: string, mistake: string): Setting<undefined> {
  const read = () => {
    throw new Error(mistake);
  };
  return { meaning, fallback: undefined, absent: undefined, read };
}

function checkedList(
  meaning: string,
  check: (items: readonly string[]) => void,
  mistake: string,
): Setting<readonly string[]> {
  const list = listSetting(meaning);
  return {
    ...list,
    read(text) {
      const items = list.read(text);
      try {
        check(items);
      } catch (cause) {
        throw new Error(mistake, { cause });
      }
      return items;
    },
  };
}

function demoPasswordSetting(): Setting<string> {
  const setting = textSetting("ashlar-demo", "the password that the demo users are made with");
  return {
    ...setting,
    read(text) {
      if ([...text].length > 128) throw new Error("must have 128 characters at most");
      return setting.read(text);
    },
  };
}
