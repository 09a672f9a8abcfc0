// Every bound of the HTTP server, by name.

export interface ServerLimits {
  /** The whole header section, request line included; beyond it 431. */
  headerBytesMax: number;
  /** Header lines; beyond it 431. */
  headersMax: number;
  /** From the first byte (or the connection) to the end of the headers; then 408. */
  headersTimeoutMs: number;
  /** From the first byte to the end of the body; then 408. */
  requestTimeoutMs: number;
  /** How often the two above are looked at: a slow client is cut at most this much later. */
  checkIntervalMs: number;
  /** How long a connection may stay idle between two requests, as clients are told in whole seconds. */
  keepAliveTimeoutMs: number;
  /** How much longer it is kept, so that a request sent in the last moment is not lost. */
  keepAliveBufferMs: number;
  /** How long a client may take to read an answer that does not fit the socket's buffer. */
  writeTimeoutMs: number;
  /** How long a refused connection is still read, so that its client gets to see the answer. */
  lingerMs: number;
  /** Open connections; more are closed at once. */
  connectionsMax: number;
  /** Requests being worked on, on all connections; more get 503. */
  inFlightMax: number;
  /** Requests sent ahead on one connection; more get 503. */
  pipelinedMax: number;
}

export const defaultLimits: ServerLimits = {
  headerBytesMax: 16 * 1024,
  headersMax: 100,
  headersTimeoutMs: 8_000,
  requestTimeoutMs: 12_000,
  checkIntervalMs: 1_000,
  keepAliveTimeoutMs: 4_000,
  keepAliveBufferMs: 1_000,
  writeTimeoutMs: 12_000,
  lingerMs: 2_000,
  connectionsMax: 10_000,
  inFlightMax: 1_000,
  pipelinedMax: 64,
};

/** Who is idle for this long has closed the connection, or does not use it again. */
export const idleConnectionMs = defaultLimits.keepAliveTimeoutMs + defaultLimits.keepAliveBufferMs;
