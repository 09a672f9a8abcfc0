// Content codings of answers (RFC 9110, 12.5.3): br, gzip or none.
//
// Quality is modest on purpose: brotli 4 and gzip 5 cost about as much time as the handler, the
// maximum costs fifty times that for a few percent of size.

import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

export type Encoding = "br" | "gzip" | "identity";

/** Bodies up to this size are sent as they are. */
export const compressAboveBytes = 1024;

/**
 * The coding for a body. Never refuses: a broken header, or one that excludes everything we
 * have, gives identity, as RFC 9110 allows. A client that excludes identity gets a small body
 * compressed too.
 */
export function chooseEncoding(acceptEncoding: string | undefined, bodyBytes: number): Encoding {
  if (acceptEncoding === undefined || acceptEncoding === "") return "identity";
  const small = bodyBytes <= compressAboveBytes;
  if (small && !acceptEncoding.includes("=0")) return "identity";
  const wanted = parseAcceptEncoding(acceptEncoding);
  const identity = wanted.get("identity") ?? (wanted.get("*") === 0 ? 0 : 1);
  if (small && identity > 0) return "identity";
  const br = wanted.get("br") ?? wanted.get("*") ?? 0;
  const gzip = Math.max(wanted.get("gzip") ?? wanted.get("*") ?? 0, wanted.get("x-gzip") ?? 0);
  if (br === 0 && gzip === 0) return "identity";
  // Identity only wins when the client says so: by default it is merely acceptable.
  if ((wanted.get("identity") ?? 0) > Math.max(br, gzip)) return "identity";
  return br >= gzip ? "br" : "gzip";
}

function parseAcceptEncoding(header: string): Map<string, number> {
  const wanted = new Map<string, number>();
  for (const item of header.split(",")) {
    const [coding, ...parameters] = item.split(";");
    let quality = 1;
    for (const parameter of parameters) {
      const match = /^[ \t]*q[ \t]*=[ \t]*([01](?:\.[0-9]{0,3})?)[ \t]*$/i.exec(parameter);
      if (match !== null) quality = Math.min(1, Number(match[1]));
    }
    wanted.set(coding!.trim().toLowerCase(), quality);
  }
  return wanted;
}

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

export function compress(body: string | Uint8Array, encoding: "br" | "gzip"): Promise<Uint8Array> {
  if (encoding === "gzip") return toGzip(body, { level: 5 });
  return toBrotli(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 4,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  });
}
