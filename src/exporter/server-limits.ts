/** Limits on what a client may use of the HTTP server: milliseconds, bytes and counts. */
export const LIMITS = {
  /** Bytes of the request line and the headers together. */
  headerBytes: 8192,
  /** Characters of the path and the parameters. A host name has at most 253. */
  urlCharacters: 2048,
  /** For the headers to arrive. */
  headersMs: 5000,
  /** For the whole request to arrive. */
  requestMs: 10_000,
  /** For the next request on a kept connection. Most scrape intervals are at most a minute. */
  keepAliveMs: 65_000,
  /** For a connection without any traffic, even while an answer is being sent. */
  idleMs: 180_000,
  /** Connections beyond one for each probe that may run at once. */
  spareConnections: 256,
  /** Connections beyond those, open only until they are refused. */
  refusedConnections: 256,
  /** Unanswered requests on one connection. Scrapers send one at a time. */
  pipelined: 16,
  /** For a client to read why its connection is closed. */
  lingerMs: 1000,
  /** For a new connection to send its request while the exporter stops. */
  farewellMs: 1000,
  /** For the last answer to be sent after the longest probe, while the exporter stops. */
  lastAnswerMs: 2000,
} as const;
