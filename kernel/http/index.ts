// Bytes in, bytes out: HTTP/1.1 on node:http. Knows headers and limits, not services.

// The server, and what it refuses before a handler sees it.
export { createHttpServer, type HttpServer } from "./server.ts";
export type { DrainOptions, HttpHandler, HttpServerOptions } from "./server-state.ts";
export { assertPortFree, bindSocket } from "./lifecycle.ts";
export type { ServerTls } from "./tls.ts";
export type { Accepted, Upgrade } from "./upgrade.ts";
export { defaultLimits, idleConnectionMs, type ServerLimits } from "./limits.ts";

// Reading a request.
export { parseQuery, parseTarget, type Query, type Target } from "./target.ts";
export { invalidHeader, singleHeader } from "./headers.ts";
export { parseJsonBody, readBytes, readJson, requireMediaType, type JsonOptions, type ReadOptions } from "./body.ts";
export { sendContinue } from "./continue.ts";
export { negotiate, type Negotiated } from "./accept.ts";
export { createAddressReader, bucketAddress, normalAddress } from "./address.ts";
export { createRequestIds } from "./request-id.ts";
export {
  childTrace,
  parseTraceparent,
  parseTracestate,
  traceOf,
  traceparentOf,
  type Trace,
  type Traceparent,
} from "./trace.ts";

// Entity tags and codings.
export { encodedTag, etagOf, matchesStrong, matchesWeak, parseEntityTags, plainTag, type EntityTag } from "./etag.ts";
export { chooseEncoding, compress, compressAboveBytes, type Encoding } from "./encoding.ts";

// Answering.
export { finalTag, notModified, send, type Answer, type SendOptions } from "./respond.ts";
export { errorAnswer, errorBody, type ErrorFormat } from "./errors.ts";
export { createCors, type Cors, type CorsOptions } from "./cors.ts";
export { linkHeader, queryString, type Link } from "./link.ts";
