// Settings from the environment: each declared once with its meaning, its default and its reader.
// All mistakes are reported together, at start, by name, without repeating values that may be secret.

import { parseDuration } from "../base/index.ts";
import { readNatsUrl } from "../events/index.ts";
import { parseLimit, type Policy } from "../limit/index.ts";
import { isRedisUrl } from "../redis/index.ts";
import { isKnownOtherwise, requireEncrypted, requireSecret } from "./production.ts";
import { isAddress } from "./topology.ts";

export interface Setting<T> {
  readonly meaning: string;
  /** As it would be written in the environment; for the help text. */
  readonly fallback: string | undefined;
  /** Throws a sentence about what is expected. */
  read(text: string): T;
  readonly absent: T;
  /** Throws a sentence about what is more to be expected of a value that is set for production. */
  inProduction?(value: T): void;
}

export type Settings<S extends Record<string, Setting<unknown>>> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** Every mistake in the environment, one per line. */
export class SettingsError extends Error {
  override name = "SettingsError";
}

export function readSettings<S extends Record<string, Setting<unknown>>>(
  declared: S,
  environment: Readonly<Record<string, string | undefined>>,
): Settings<S> {
  const values: Record<string, unknown> = {};
  const mistakes: string[] = [];
  const isProduction = environment["NODE_ENV"] === "production";
  for (const [name, setting] of Object.entries(declared)) {
    const text = environment[name];
    try {
      const isSet = text !== undefined && text !== "";
      values[name] = isSet ? setting.read(text) : setting.absent;
      if (isSet && isProduction) setting.inProduction?.(values[name]);
    } catch (error) {
      mistakes.push(`  ${name} ${(error as Error).message}`);
    }
  }
  if (mistakes.length > 0)
    throw new SettingsError(
      `The configuration has ${mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`}:\n${mistakes.join("\n")}`,
    );
  return values as Settings<S>;
}

function setting<T>(meaning: string, fallback: string | undefined, absent: T, read: (text: string) => T): Setting<T> {
  return { meaning, fallback, absent, read };
}

export function portSetting(fallback: number, meaning: string): Setting<number> {
  return setting(meaning, String(fallback), fallback, (text) => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (!(port <= 65_535)) throw new Error("must be a port from 0 to 65535");
    return port;
  });
}

/** Such as `5s` or `500ms`, up to a maximum; undefined when it is not set. */
export function durationSetting(meaning: string, maxMs: number): Setting<number | undefined> {
  return setting<number | undefined>(meaning, undefined, undefined, (text) => {
    const ms = text === "0" ? 0 : parseDuration(text);
    if (ms === undefined || ms > maxMs) throw new Error(`must be a duration of at most ${maxMs / 1_000}s, such as 5s`);
    return ms;
  });
}

export function textSetting(fallback: string, meaning: string): Setting<string> {
  return setting(meaning, fallback, fallback, (text) => text);
}

export function fileSetting(meaning: string): Setting<string | undefined> {
  return setting<string | undefined>(meaning, undefined, undefined, (text) => text);
}

export function choiceSetting<const T extends string>(choices: readonly T[], fallback: T, meaning: string): Setting<T> {
  return setting(meaning, fallback, fallback, (text) => {
    if (!choices.includes(text as T)) throw new Error(`must be one of ${choices.join(", ")}`);
    return text as T;
  });
}

export function listSetting(meaning: string): Setting<readonly string[]> {
  return setting<readonly string[]>(meaning, undefined, [], (text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  );
}

/** A list whose items must pass `check`, which throws; `mistake` says what is expected. */
export function checkedListSetting(
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

/** A variable that must not be set, and why. */
export function refusedSetting(meaning: string, mistake: string): Setting<undefined> {
  return setting(meaning, undefined, undefined, () => {
    throw new Error(mistake);
  });
}

export function postgresSetting(meaning: string): Setting<string | undefined> {
  const read = (text: string) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2)
      throw new Error("must be a URL like postgres://user:password@host:5432/database");
    return text;
  };
  return {
    ...setting<string | undefined>(meaning, undefined, undefined, read),
    inProduction(text) {
      const url = new URL(text!);
      if (!isKnownOtherwise(url)) requireSecret(url);
    },
  };
}

/** An address of this system, without a path. */
export function urlSetting(meaning: string): Setting<string | undefined> {
  return setting<string | undefined>(meaning, undefined, undefined, (text) => {
    if (!isAddress(text)) throw new Error("must be a URL without a path, such as http://10.0.0.7:3001");
    return text;
  });
}

export function redisSetting(meaning: string): Setting<string | undefined> {
  const read = (text: string) => {
    if (!isRedisUrl(text)) throw new Error("must be a URL like redis://user:password@host:6379/0, or rediss://...");
    return text;
  };
  return {
    ...setting<string | undefined>(meaning, undefined, undefined, read),
    inProduction(text) {
      const url = new URL(text!);
      if (url.password !== "" || !isThisMachine(url.hostname)) requireSecret(url);
    },
  };
}

function isThisMachine(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

export function natsSetting(meaning: string): Setting<string | undefined> {
  const read = (text: string) => {
    if (readNatsUrl(text) === undefined)
      throw new Error(
        "must be a URL like nats://user:password@host:4222, or tls://...; several with the same user separated by commas",
      );
    return text;
  };
  return {
    ...setting<string | undefined>(meaning, undefined, undefined, read),
    inProduction(text) {
      for (const url of text!.split(",").map((one) => new URL(one.trim()))) {
        // A user without a password is a token.
        if (url.password === "") [url.username, url.password] = ["", url.username];
        if (url.password !== "" || !isThisMachine(url.hostname)) requireSecret(url);
      }
    },
  };
}

export function smtpSetting(meaning: string): Setting<string | undefined> {
  const read = (text: string) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isServer = url !== undefined && /^smtps?:$/.test(url.protocol) && url.hostname !== "";
    if (!isServer || !/^\/?$/.test(url.pathname) || url.search !== "")
      throw new Error("must be a URL like smtp://user:password@host:587, or smtps://...");
    return text;
  };
  return {
    ...setting<string | undefined>(meaning, undefined, undefined, read),
    inProduction(text) {
      const url = new URL(text!);
      if (url.username !== "") requireSecret(url);
    },
  };
}

function withoutSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === "/") end--;
  return text.slice(0, end);
}

/** Where people's browsers find pages. A link with a token in it must not travel unencrypted. */
export function publicUrlSetting(fallback: string, meaning: string): Setting<string> {
  const read = (text: string) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const plain = url?.protocol === "http:" && isThisMachine(url.hostname);
    if (
      url === undefined ||
      (url.protocol !== "https:" && !plain) ||
      url.username + url.password + url.search + url.hash !== ""
    )
      throw new Error("must be an address like https://shop.example; http only for this machine");
    return withoutSlashes(url.href);
  };
  return { ...setting(meaning, fallback, fallback, read), inProduction: requireEncrypted };
}

export function limitSetting(fallback: string, meaning: string): Setting<Policy | "off"> {
  const read = (text: string) => {
    const limit = parseLimit(text);
    if (limit === undefined) throw new Error('must be a limit like 100/60s or 100/60s per user, or "off"');
    return limit;
  };
  return setting(meaning, fallback, read(fallback), read);
}

/** A part like 1/4, which reads as 4. */
export function shareSetting(fallback: string, meaning: string): Setting<number> {
  const read = (text: string) => {
    const parts = /^1\/([1-9]\d{0,2})$/.exec(text)?.[1];
    if (parts === undefined) throw new Error("must be a part like 1/2, from 1/1 to 1/999");
    return Number(parts);
  };
  return setting(meaning, fallback, read(fallback), read);
}

/** A number of days, at least one; `off` reads as undefined. */
export function daysSetting(fallback: string, meaning: string): Setting<number | undefined> {
  const read = (text: string) => {
    if (text === "off") return undefined;
    const ms = text.endsWith("d") ? parseDuration(text) : undefined;
    if (ms === undefined || ms === 0) throw new Error('must be a number of days like 90d, or "off"');
    return ms;
  };
  return setting(meaning, fallback, read(fallback), read);
}
