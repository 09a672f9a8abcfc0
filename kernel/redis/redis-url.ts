/**
 * Whether the text is an address of a store, as `openRedis` takes it. Nothing behind the number of the database: the
 * client would read a query as its own options.
 */
export function isRedisUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === "") return false;
  return /^(\/\d{0,5})?$/.test(url.pathname) && url.search + url.hash === "" && isDecodable(url);
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}
