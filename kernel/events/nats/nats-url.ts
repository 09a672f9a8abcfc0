// The address of NATS: one URL, or several of one cluster separated by commas.

export interface NatsAddress {
  /** `host:port`, without credentials. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

const portDefault = "4222";

/**
 * Reads `nats://user:password@host:4222`, `nats://token@host`, `tls://...`, or several separated by commas. Undefined
 * when it is none, or when they disagree about who connects and how: all of them lead to one cluster.
 */
export function readNatsUrl(text: string): NatsAddress | undefined {
  const read = text.split(",").map((part) => readOne(part.trim()));
  const [first] = read;
  if (first === undefined || read.length > serversMax) return undefined;
  const alike = read.every(
    (one) => one?.tls === first.tls && one.user === first.user && one.password === first.password,
  );
  if (!alike) return undefined;
  return { ...first, servers: read.flatMap((one) => one?.servers ?? []) };
}

const serversMax = 32;

function readOne(text: string): NatsAddress | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^(nats|tls):$/.test(url.protocol) || url.hostname === "") return undefined;
  if (!/^\/?$/.test(url.pathname) || url.search + url.hash !== "") return undefined;
  try {
    return {
      servers: [`${url.hostname}:${url.port === "" ? portDefault : url.port}`],
      tls: url.protocol === "tls:",
      user: decoded(url.username),
      password: decoded(url.password),
    };
  } catch {
    return undefined;
  }
}

function decoded(part: string): string | undefined {
  return part === "" ? undefined : decodeURIComponent(part);
}

/** A user without a password is a token, as in every client of NATS. */
export function optionsOf({ servers, tls, user, password }: NatsAddress) {
  return {
    servers: [...servers],
    ...(tls ? { tls: {} } : {}),
    ...(user === undefined ? {} : password === undefined ? { token: user } : { user, pass: password }),
  };
}
