import {
  type Attempt,
  type ErrorFacts,
  type Outcome,
  type ProbeReport,
  reasonOf,
} from '../core/facts/outcome.js';
import type { KernelFacts } from '../core/facts/kernel-facts.js';
import type { Reason } from '../core/states.js';
import { formatEndpoint, formatHostPort, type Target } from '../core/target/target.js';
import { escapeControls } from './escape.js';
import { formatCount, formatDuration } from './numbers.js';

/** Why a port is not open, or its service did not answer, for people. Each part is one line. */
export interface Explanation {
  /** What was seen, with its evidence: which address, after how long. */
  readonly what: string;
  /** The possible causes and the most useful next step. */
  readonly advice: string;
}

/** The address that an outcome is about; null when the name was not resolved. */
export const addressOf = (outcome: Outcome): string | null =>
  'endpoint' in outcome ? outcome.endpoint.address : null;

/**
 * Milliseconds that a probe took: resolving, the deciding attempt and the service check, as far as
 * each took place.
 */
export function durationOf({ outcome, resolution }: ProbeReport): number {
  if (outcome.state === 'open')
    return resolution.elapsedMs + outcome.latencyMs + (outcome.service?.elapsedMs ?? 0);
  return outcome === resolution ? outcome.elapsedMs : resolution.elapsedMs + outcome.elapsedMs;
}

/** An expected state in words: `open`, `not open`. */
export const expectationWords = (expected: string): string => expected.replace('-', ' ');

/**
 * A target as people read it, safe for a terminal: `mail.example.com:25 (192.0.2.10)`. The address
 * is left out where it is what the user wrote.
 */
export function nameTarget({ host, port }: Target, address: string | null = null): string {
  const name = escapeControls(formatHostPort(host, port));
  return address === null || address === host ? name : `${name} (${escapeControls(address)})`;
}

const REASON_WORDS: Readonly<Record<Reason, string>> = {
  'conn-refused': 'refused',
  'no-response': 'no answer',
  'host-unreach': 'host unreachable',
  'net-unreach': 'network unreachable',
  'proto-unreach': 'protocol unreachable',
  'admin-prohibited': 'prohibited',
  'icmp-error': 'ICMP error',
  'name-not-found': 'no such name',
  'name-no-address': 'no address',
  'resolver-failed': 'resolver failed',
  'resolver-timeout': 'resolver silent',
  'no-route': 'no route from here',
  'no-ports-left': 'no source port left',
  'no-files-left': 'no file descriptor left',
  'not-permitted': 'not permitted here',
  'bad-source': 'bad source address',
  'no-resources': 'no memory here',
  'unknown-error': 'unknown error',
  silent: 'service silent',
  dropped: 'dropped by the service',
  'wrong-protocol': 'wrong answer',
  'tls-failed': 'TLS failed',
};

/** A reason in a few words: `refused`, `no answer`. */
export const describeReason = (reason: Reason): string => REASON_WORDS[reason];

/**
 * The number between the angle brackets: the Windows Sockets code, else the platform's own number,
 * else the error's name.
 */
export function errorNumber({ winsock, errno, code }: ErrorFacts): string {
  if (winsock !== null) return String(winsock);
  return errno === null ? escapeControls(code) : String(Math.abs(errno));
}

/**
 * One attempt in words, without its endpoint: `open in 0.21 ms`,
 * `closed, conn-refused <10061> after 0.31 ms`.
 */
export function describeAttempt(attempt: Attempt): string {
  switch (attempt.state) {
    case 'open':
      return `open in ${formatDuration(attempt.latencyMs)}`;
    case 'cancelled':
      return `cancelled after ${formatDuration(attempt.elapsedMs)} without an answer`;
    default: {
      const { state, reason, error, elapsedMs } = attempt;
      return `${state}, ${reason} <${errorNumber(error)}> after ${formatDuration(elapsedMs)}`;
    }
  }
}

/** Whether the words for a silent outcome name this attempt already. */
const isNamedWith = (outcome: Outcome, attempt: Attempt): boolean =>
  reasonOf(outcome) === 'no-response' && reasonOf(attempt) === 'no-response';

/**
 * A sentence for each other address that failed, too. Of an open target, one that this machine
 * cannot reach has none: many machines have no IPv6.
 */
export function describeOtherFailures({ attempts, outcome }: ProbeReport): string[] {
  if (!('endpoint' in outcome) || outcome.state === 'cancelled') return [];
  if (attempts.length === 1) return []; // the outcome itself
  const isOpen = outcome.state === 'open';
  const opened = isOpen ? `; ${formatEndpoint(outcome.endpoint)} opened` : '';
  const decided = attempts.indexOf(outcome);
  return attempts
    .filter((each, index) => {
      if (index === decided || isNamedWith(outcome, each)) return false;
      if (each.state === 'failed') return !isOpen;
      return each.state === 'cancelled' ? index < decided : each.state !== 'open';
    })
    .map((each) => `${formatEndpoint(each.endpoint)}: ${describeAttempt(each)}${opened}.`);
}

const DELAYS: Readonly<Record<KernelFacts['cause'], string>> = {
  'lost-syn': 'the first SYN was lost or ignored, or the answer to it was lost',
  'no-loss': 'no SYN was repeated, the answer came late',
  unclear: 'the first SYN or its answer was lost, or the answer came late',
};

/** What the kernel knows of a slow handshake, in words. */
export function describeKernel({ roundTripMs, repeatedSyns, mss, cause }: KernelFacts): string {
  const roundTrip = roundTripMs === null ? 'not measured' : formatDuration(roundTripMs);
  const repeated = repeatedSyns === 0 ? '' : `; ${formatCount(repeatedSyns, 'SYN')} repeated`;
  return `round trip ${roundTrip}; ${DELAYS[cause]}${repeated}; MSS ${mss}`;
}
