/** Why a request is refused, as the exporter counts it, with the status of the answer (RFC 9110, RFC 6585). */
export const REFUSALS = {
  'bad-request': 400,
  forbidden: 403,
  'not-found': 404,
  'bad-method': 405,
  slow: 408,
  'too-long': 414,
  'bad-expectation': 417,
  'headers-too-long': 431,
  busy: 503,
  pipelined: 503,
  'too-many-connections': 503,
} as const;

/** A reason to refuse a request. */
export type RefusalReason = keyof typeof REFUSALS;

/** Thrown where a request is found to be one that is not answered with a probe. The message is one plain line for whoever sent it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }

  get status(): number {
    return REFUSALS[this.reason];
  }
}
