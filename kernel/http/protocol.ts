// What must hold for any request before anybody looks at its path.
//
// node's parser (llhttp, strict) has refused broken framing already. These are the rules it
// leaves to the server, and the places where it would keep one of two values silently.

import type { IncomingMessage } from "node:http";
import { errors, Failure } from "../contract/index.ts";
import { countHeader } from "./headers.ts";
import type { ServerLimits } from "./limits.ts";

const hostPattern = /^[A-Za-z0-9._~!$&'()*+,;=%:[\]-]*$/;

/** The reason to refuse a request as HTTP, or undefined. Runs on every request: no allocation. */
export function protocolFailure(request: IncomingMessage, limits: ServerLimits): Failure | undefined {
  const failure = framingFailure(request, limits);
  if (failure !== undefined) return failure;
  const { upgrade } = request.headers;
  return upgrade === undefined ? undefined : upgradeFailure(upgrade);
}

/** The same for one that may ask for another protocol. */
export function framingFailure(request: IncomingMessage, limits: ServerLimits): Failure | undefined {
  const { rawHeaders } = request;
  if (rawHeaders.length > limits.headersMax * 2) {
    return new Failure(errors.headersTooLarge, `A request may have at most ${limits.headersMax} header lines`);
  }
  if (request.httpVersionMajor !== 1) return refused("This server speaks HTTP/1.1");
  const { headers } = request;
  if (headers.host === undefined) {
    if (request.httpVersionMinor > 0) return refused("The Host header is missing");
  } else if (countHeader(rawHeaders, "host") > 1 || !hostPattern.test(headers.host)) {
    return refused("The Host header must be sent once and name a host");
  }
  // node keeps the first of these; a proxy in front may have read the last.
  if (headers.authorization !== undefined && countHeader(rawHeaders, "authorization") > 1) {
    return refused("The Authorization header may be sent only once");
  }
  if (headers["content-type"] !== undefined && countHeader(rawHeaders, "content-type") > 1) {
    return refused("The Content-Type header may be sent only once");
  }
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    return refused("The only transfer coding understood is chunked");
  }
  return undefined;
}

/**
 * An offer of h2c is let pass and not taken up: Java's HttpClient and `curl --http2` make it on
 * every plain request and are content with HTTP/1.1. Anything else wants a protocol we lack.
 */
function upgradeFailure(upgrade: string): Failure | undefined {
  return upgrade.trim().toLowerCase() === "h2c" ? undefined : refused("This server does not switch protocols");
}

/** What node's parser found wrong, as a failure. Undefined when there is nobody left to tell. */
export function parserFailure(error: NodeJS.ErrnoException): Failure | undefined {
  switch (error.code) {
    case "ECONNRESET":
    case "EPIPE":
      return undefined;
    case "HPE_HEADER_OVERFLOW":
      return new Failure(errors.headersTooLarge, "The header section is too large");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new Failure(errors.payloadTooLarge, "The chunk extensions are too large");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Failure(errors.requestTimeout, "The request did not arrive in time");
    default:
      return refused("The request is not valid HTTP");
  }
}

function refused(message: string): Failure {
  return new Failure(errors.badRequest, message);
}
