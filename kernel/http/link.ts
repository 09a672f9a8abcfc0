// The Link header (RFC 8288) that says where the other pages of a list are.

export interface Link {
  rel: "first" | "prev" | "next" | "last" | "self" | "successor-version" | "deprecation";
  /** As it goes on the wire: percent-encoded, from the root. */
  path: string;
  /** Parameters in the order given; undefined ones are left out. */
  query?: Iterable<readonly [name: string, value: string | number | undefined]>;
}

/** Targets are relative references: a link never repeats a Host header the client made up. */
export function linkHeader(links: readonly Link[]): string {
  return links.map(({ rel, path, query = [] }) => `<${path}${queryString(query)}>; rel="${rel}"`).join(", ");
}

/** `?name=value&...`, percent-encoded, or nothing. */
export function queryString(query: Iterable<readonly [name: string, value: string | number | undefined]>): string {
  let text = "";
  for (const [name, value] of query) {
    if (value === undefined) continue;
    text += `${text === "" ? "?" : "&"}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
  }
  return text;
}
