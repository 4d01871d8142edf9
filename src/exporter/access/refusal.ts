/** The reasons to refuse a request, as /metrics counts them, with the status (RFC 9110, 6585). */
export const REFUSALS = {
  'bad-request': 400,
  'bad-handshake': 400,
  unauthorized: 401,
  forbidden: 403,
  'cross-site': 403,
  'wrong-host': 403,
  'bad-certificate': 403,
  'not-found': 404,
  'bad-method': 405,
  slow: 408,
  'too-long': 414,
  'bad-expectation': 417,
  'headers-too-long': 431,
  'bad-configuration': 500,
  busy: 503,
  pipelined: 503,
  'too-many-connections': 503,
} as const;

/** A reason to refuse a request. */
export type RefusalReason = keyof typeof REFUSALS;

/** Thrown when a request is refused. The message is one line of plain text for the client. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: RefusalReason;
  /** What the answer has beside its text (RFC 9110, 15.5.6 and 10.2.3). */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    reason: RefusalReason,
    message: string,
    headers: Readonly<Record<string, string>> = reason === 'busy' ? { 'Retry-After': '1' } : {},
  ) {
    super(message);
    this.reason = reason;
    this.headers = headers;
  }

  /** The HTTP status of the answer. */
  get status(): number {
    return REFUSALS[this.reason];
  }
}
