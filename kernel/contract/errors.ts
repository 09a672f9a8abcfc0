// The closed list of error codes, and the one class that carries them.
//
// A code has one status everywhere. A service adds codes of its own with `errorCode` and lists
// them in the operations that may answer them; anything else that is thrown becomes a 500 whose
// cause is in the log and nowhere else.

export interface ErrorCode {
  readonly code: string;
  readonly status: number;
  /** What the code means, for the documentation. */
  readonly meaning: string;
}

export interface Detail {
  /** The path the client sent: `items[0].quantity`, or the name of a header or parameter. */
  field: string;
  message: string;
}

export interface FailureOptions {
  details?: readonly Detail[];
  /** Headers of the answer, in lower case: `retry-after`, `allow`, `www-authenticate`. */
  headers?: Readonly<Record<string, string>>;
  /** For the log only; never leaves the process. */
  cause?: unknown;
  /** Default: those of the cause. */
  hops?: number;
}

/** A refusal that a caller may see: a code from the closed list and a sentence. */
export class Failure extends Error {
  override name = "Failure";
  readonly code: string;
  readonly status: number;
  readonly details: readonly Detail[];
  readonly headers: Readonly<Record<string, string>>;
  /** Through how many calls between services it has come: who gets one from deeper than the next service knows by it. */
  readonly hops: number;

  constructor(kind: Pick<ErrorCode, "code" | "status">, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = kind.code;
    this.status = kind.status;
    this.details = options.details ?? [];
    this.headers = options.headers ?? {};
    this.hops = options.hops ?? (options.cause instanceof Failure ? options.cause.hops : 0);
  }
}

/** Declares a code that a service may answer. The same code must have the same status everywhere. */
export function errorCode(code: string, status: number, meaning: string): ErrorCode {
  return { code, status, meaning };
}

/** The codes of the platform itself. Any operation may answer those its declaration implies. */
export const errors = {
  badRequest: errorCode("BAD_REQUEST", 400, "The request is not understandable HTTP"),
  malformedJson: errorCode("MALFORMED_JSON", 400, "The body is not acceptable JSON"),
  validation: errorCode("VALIDATION_ERROR", 400, "The body, a parameter or a header breaks its schema"),
  invalidCursor: errorCode("INVALID_CURSOR", 400, "The cursor was not issued for this caller and this list"),
  invalidVersion: errorCode("INVALID_VERSION", 400, "The version in the query is unknown, or two versions disagree"),
  unauthenticated: errorCode("UNAUTHENTICATED", 401, "Credentials are missing or no longer valid"),
  forbidden: errorCode("FORBIDDEN", 403, "The caller lacks the role for this"),
  notFound: errorCode("NOT_FOUND", 404, "Not there, deleted, or not the caller's"),
  methodNotAllowed: errorCode("METHOD_NOT_ALLOWED", 405, "The resource does not have this method"),
  notAcceptable: errorCode("NOT_ACCEPTABLE", 406, "No representation matches the Accept header"),
  requestTimeout: errorCode("REQUEST_TIMEOUT", 408, "The request did not arrive in time"),
  conflict: errorCode("CONFLICT", 409, "The request conflicts with the present state"),
  duplicate: errorCode("DUPLICATE", 409, "A value that must be unique is taken"),
  versionConflict: errorCode("VERSION_CONFLICT", 409, "The version in the body is not the current one"),
  inProgress: errorCode("IDEMPOTENCY_IN_PROGRESS", 409, "The first request with this Idempotency-Key is still running"),
  gone: errorCode("GONE", 410, "This version of the API is past its sunset"),
  preconditionFailed: errorCode("PRECONDITION_FAILED", 412, "If-Match does not name the current version"),
  payloadTooLarge: errorCode("PAYLOAD_TOO_LARGE", 413, "The body is larger than the limit"),
  uriTooLong: errorCode("URI_TOO_LONG", 414, "The request target is longer than the limit"),
  unsupportedMediaType: errorCode("UNSUPPORTED_MEDIA_TYPE", 415, "The body's media type or encoding is not supported"),
  unprocessable: errorCode("UNPROCESSABLE", 422, "Well-formed, but the business refuses it"),
  keyReused: errorCode("IDEMPOTENCY_KEY_REUSED", 422, "This Idempotency-Key was used with another payload"),
  preconditionRequired: errorCode("PRECONDITION_REQUIRED", 428, "If-Match or version is required"),
  rateLimited: errorCode("RATE_LIMITED", 429, "The limit is reached; Retry-After says when to come back"),
  headersTooLarge: errorCode("HEADERS_TOO_LARGE", 431, "The header section is larger than the limit"),
  internal: errorCode("INTERNAL", 500, "Something unexpected happened; the log has the cause"),
  notImplemented: errorCode("NOT_IMPLEMENTED", 501, "Declared, but not built yet"),
  badGateway: errorCode("BAD_GATEWAY", 502, "A service answered what is no answer, or did not understand another"),
  unavailable: errorCode("UNAVAILABLE", 503, "A dependency is down, or the server is draining or overloaded"),
  deadlineExceeded: errorCode("DEADLINE_EXCEEDED", 504, "The deadline of the request passed"),
} as const satisfies Record<string, ErrorCode>;

export function notFound(message = "Not found", options?: FailureOptions): Failure {
  return new Failure(errors.notFound, message, options);
}

export function conflict(message: string, options?: FailureOptions): Failure {
  return new Failure(errors.conflict, message, options);
}

/** 400 with every wrong field named. */
export function invalid(details: readonly Detail[], message = "The request is not valid"): Failure {
  return new Failure(errors.validation, message, { details });
}

/** Throws the 400 that names every wrong field, unless there is none. */
export function refuse(details: readonly Detail[]): void {
  if (details.length > 0) throw invalid(details);
}

export function unprocessable(message: string, options?: FailureOptions): Failure {
  return new Failure(errors.unprocessable, message, options);
}
