// Which version of the API a request asks for: path over Accept over query; two that disagree are refused.

import { type ApiVersion, errors, Failure, notFound } from "../contract/index.ts";

const versionedPath = /^\/v(0|[1-9]\d{0,5})(\/.*)$/;

/** Splits `/v2/users` (or `/api/v2/users`) into the version and the path that contracts declare. */
export function splitPath(path: string): { inPath: number | undefined; path: string } {
  const bare = withoutApi(path);
  const match = versionedPath.exec(bare);
  return match === null ? { inPath: undefined, path: bare } : { inPath: Number(match[1]), path: match[2]! };
}

/** The specification writes `GET /api/users`: the prefix is accepted everywhere and means nothing. */
export function withoutApi(path: string): string {
  return path.startsWith("/api/") ? path.slice("/api".length) : path;
}

/** Each place answers an unknown version in its own way: path 404, Accept 406, query 400. */
export function chooseVersion(
  versions: readonly ApiVersion[],
  asked: {
    inPath: number | undefined;
    inAccept: number | "invalid" | undefined;
    inQuery: readonly string[] | undefined;
  },
  nowMs: number,
  successor?: string,
): ApiVersion {
  const known = (number: number) => versions.find((version) => version.number === number);
  const { inPath, inAccept } = asked;
  if (inPath !== undefined && known(inPath) === undefined) throw notFound();
  if (inAccept === "invalid" || (inAccept !== undefined && known(inAccept) === undefined)) {
    throw new Failure(
      errors.notAcceptable,
      `There is no such version. Known: ${versions.map(({ number }) => number).join(", ")}`,
    );
  }
  const inQuery = readQueryVersion(asked.inQuery);
  if (inQuery !== undefined && known(inQuery) === undefined) throw invalidVersion("is not a known version");
  const sent = [inPath, inAccept, inQuery].filter((number) => number !== undefined);
  if (sent.some((number) => number !== sent[0])) throw invalidVersion("disagrees with another version in this request");
  const version = known(sent[0] ?? 1) ?? versions[0]!;
  if (version.sunsetAt !== undefined && Date.parse(version.sunsetAt) <= nowMs) {
    throw new Failure(errors.gone, `Version ${version.number} was switched off on ${version.sunsetAt}`, {
      headers: versionHeaders(version, successor),
    });
  }
  return version;
}

function readQueryVersion(values: readonly string[] | undefined): number | undefined {
  if (values === undefined) return undefined;
  if (values.length > 1) throw invalidVersion("may be given only once");
  return /^[1-9]\d{0,5}$/.test(values[0]!) ? Number(values[0]) : -1;
}

function invalidVersion(message: string): Failure {
  return new Failure(errors.invalidVersion, "The version of this request cannot be determined", {
    details: [{ field: "version", message }],
  });
}

/** What every answer in a version says of it, its refusals and its end included. */
export function versionHeaders(version: ApiVersion, successor: string | undefined): Record<string, string> {
  const headers = { "api-version": String(version.number), vary: "Accept" };
  return version.deprecatedAt === undefined ? headers : { ...headers, ...deprecationHeaders(version, successor) };
}

/** `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and the way to the successor; for a version that is to go. */
function deprecationHeaders(
  { deprecatedAt, sunsetAt }: ApiVersion,
  successor: string | undefined,
): Record<string, string> {
  return {
    deprecation: `@${Math.floor(Date.parse(deprecatedAt!) / 1000)}`,
    ...(sunsetAt === undefined ? {} : { sunset: new Date(sunsetAt).toUTCString() }),
    ...(successor === undefined ? {} : { link: `<${successor}>; rel="successor-version"` }),
  };
}
