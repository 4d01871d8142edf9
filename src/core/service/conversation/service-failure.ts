import type { Drop, TlsProblem, Waiting } from '../../facts/service-finding.js';
import { MAX_LINE_BYTES, MAX_RECEIVED_BYTES } from './receive-buffer.js';
import { cutText, quote } from './text.js';

/** How a conversation failed: the part of a finding that is not `answered`. */
export type FailureDetails =
  | ({ readonly state: 'silent' } & Waiting)
  | ({ readonly state: 'dropped'; readonly winsock: 10054 | null } & Waiting & Drop)
  | { readonly state: 'wrong-protocol'; readonly problem: string }
  | ({ readonly state: 'tls-failed' } & TlsProblem);

/** Thrown by conversations and checks. The service probe turns it into a finding. */
export class ServiceFailure extends Error {
  readonly details: FailureDetails;

  constructor(details: FailureDetails) {
    super(details.state);
    this.details = details;
  }
}

const wrongProtocol = (problem: string): ServiceFailure =>
  new ServiceFailure({ state: 'wrong-protocol', problem });

/** TLS failed. */
export const tlsFailed = (problem: TlsProblem): ServiceFailure =>
  new ServiceFailure({ state: 'tls-failed', ...problem });

/** The server speaks the protocol, but refuses service with this line. */
export const serviceRefused = (what: string, line: string): ServiceFailure =>
  wrongProtocol(`${what}: ${quote(line)}`);

/** The server refuses the command that starts TLS. */
export const startTlsRefused = (command: string, line: string): ServiceFailure =>
  tlsFailed({ failure: 'no-starttls', problem: `it refused ${command}: ${quote(line)}` });

/** A line came that the protocol does not have at this point. */
export const unexpectedLine = (
  line: string,
  expected: string,
  looksLike: string | null,
): ServiceFailure =>
  wrongProtocol(
    `${quote(line)} is not ${expected}${looksLike === null ? '' : `; it looks like ${looksLike}`}`,
  );

/** The connection ended, and what had come looks like another protocol. */
export const otherProtocol = (
  firstLine: string,
  awaited: string,
  looksLike: string,
): ServiceFailure =>
  wrongProtocol(`${quote(firstLine)} came instead of ${awaited}; it looks like ${looksLike}`);

/** The server sent more than is accepted. */
export const tooMuchReceived = (awaited: string, firstLine: string): ServiceFailure =>
  wrongProtocol(
    `more than ${MAX_RECEIVED_BYTES / 1024} KiB came before ${awaited} was complete; ` +
      `it begins with ${quote(firstLine)}`,
  );

/**
 * Plain text came between the answer to STARTTLS and TLS. An attacker on the path may have added
 * it, so that it passes for what the server said inside TLS (CVE-2011-0411).
 */
export const plainTextInjected = (bytes: Buffer): ServiceFailure =>
  tlsFailed({
    failure: 'injection',
    problem:
      'plain text came after its answer to STARTTLS, before TLS began: ' +
      quote(cutText(bytes, MAX_LINE_BYTES)),
  });
