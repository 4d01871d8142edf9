import type { ServiceFinding, TlsFacts, TlsFailure } from '../core/facts/service-finding.js';
import { escapeControls } from './escape.js';
import { formatDuration, formatMilliseconds } from './numbers.js';

/** How much of what a server said is shown in a line for people. */
const MOST_SHOWN = 160;

const shown = (text: string): string =>
  `"${escapeControls(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text)}"`;

/** What it had said before it fell silent or dropped the connection. */
function before({ firstLine }: ServiceFinding, unfinished: string | null): string {
  return firstLine === null || unfinished === firstLine ? '' : ` It had said ${shown(firstLine)}.`;
}

/** Whether anything was said: a line, or a part of TLS's handshake. When that is over, its bytes say nothing about the service inside. */
const hasBegun = ({ firstLine, receivedBytes, tls }: ServiceFinding): boolean =>
  firstLine !== null || (receivedBytes > 0 && tls === null);

/** What a conversation found, in a sentence: `smtp answered "220 mail.example.com ESMTP" in 4.10 milliseconds.` */
export function describeService(finding: ServiceFinding): string {
  const { name } = finding;
  switch (finding.state) {
    case 'answered': {
      const what =
        finding.meaning === null
          ? shown(finding.firstLine ?? '')
          : `with ${escapeControls(finding.meaning)}`;
      return `${name} answered ${what} in ${formatMilliseconds(finding.answerMs)} milliseconds.`;
    }
    case 'wrong-protocol':
      return `${name} did not answer as it should: ${escapeControls(finding.problem)}.`;
    case 'silent': {
      const { awaited, unfinished, elapsedMs, firstLine } = finding;
      const began = unfinished === null ? '' : `; it began with ${shown(unfinished)}`;
      const isBegun = unfinished !== null || (firstLine === null && hasBegun(finding));
      return `${name} is silent: ${awaited} ${isBegun ? 'was not complete' : 'did not come'} within ${formatDuration(elapsedMs)}${began}.${before(finding, unfinished)}`;
    }
    case 'dropped': {
      const { awaited, unfinished, by, winsock, afterMs } = finding;
      const how = by === 'reset' ? `reset <${winsock}>` : 'closed';
      const when = afterMs === 0 ? 'at once' : `${formatDuration(afterMs)} after the handshake`;
      const where =
        unfinished === null
          ? `before ${awaited}`
          : `in the middle of ${awaited}, which began with ${shown(unfinished)}`;
      return `${name} dropped the connection: it was ${how} ${when}, ${where}.${before(finding, unfinished)}`;
    }
    case 'tls-failed':
      return `${name} failed at TLS: ${escapeControls(finding.problem)}.`;
    default:
      return finding satisfies never;
  }
}

function describeValidity(daysLeft: number | null): string {
  if (daysLeft === null) return 'valid until a date that cannot be read';
  if (daysLeft < 0) return 'expired';
  return daysLeft === 0
    ? 'valid for less than a day'
    : `valid for ${daysLeft} more ${daysLeft === 1 ? 'day' : 'days'}`;
}

/** What TLS agreed on, in a line: version, suite, certificate, days left; and what is not acceptable about it where the conversation went on all the same. */
export function describeTls(
  { version, cipher, certificate, problems }: TlsFacts,
  isAnswered: boolean,
): string {
  const agreed = `${escapeControls(version)}, ${escapeControls(cipher)}`;
  const passedOver =
    isAnswered && problems.length > 0
      ? ` Passed over (--insecure): ${problems.map(({ problem }) => escapeControls(problem)).join('; ')}.`
      : '';
  if (certificate === null) return `${agreed}; no certificate.${passedOver}`;
  const { subject, issuer, names, daysLeft } = certificate;
  const some = names.slice(0, 4).map(escapeControls).join(', ');
  const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
  const whom = subject === '' ? '' : ` of ${escapeControls(subject)}`;
  return `${agreed}; certificate${whom} from ${escapeControls(issuer)}${some === '' ? '' : `, for ${some}${more}`}, ${describeValidity(daysLeft)}.${passedOver}`;
}

/** What --insecure passes over. It does an expired certificate, too, but that is to be renewed, and --tls-min-days is not overruled. */
const INSECURE: ReadonlySet<TlsFailure> = new Set([
  'old-version',
  'no-certificate',
  'self-signed',
  'unknown-authority',
  'not-yet-valid',
  'weak',
  'wrong-name',
  'untrusted',
]);

function adviseOnTls(failure: TlsFailure): string {
  switch (failure) {
    case 'no-starttls':
      return 'Its TLS is switched off or out of order, which its log tells, or something on the way does not let it through. A service with TLS from the start has a port of its own: smtps, imaps, pop3s, ftps.';
    case 'injection':
      return 'Somebody on the way puts words in, or the server is faulty (CVE-2011-0411): do not trust it before that is cleared up.';
    case 'not-tls':
      return 'That port has no TLS from the start: leave TLS out, or turn to it inside (smtp+tls, imap+tls, pop3+tls, ftp+tls).';
    case 'handshake':
      return "Look at the server's own log; it may want a name (--sni), a certificate of the client, or what is too old or too new for this OpenSSL.";
    case 'old-version':
      return 'Let it speak TLS 1.2 or newer.';
    case 'no-certificate':
    case 'untrusted':
      return "Look at the server's certificate, and at the chain that it sends with it.";
    case 'self-signed':
    case 'unknown-authority':
      return 'If it is to be trusted, name its authority in NODE_EXTRA_CA_CERTS=<file>; or let the server send its whole chain.';
    case 'expired':
    case 'expires-soon':
      return 'Renew the certificate, and see that the server has loaded the new one.';
    case 'not-yet-valid':
      return 'Check the clocks of this machine and of whoever issued the certificate.';
    case 'weak':
      return 'Have it issued anew with SHA-256 and an RSA key of 2048 bits or more, or an elliptic one, by an authority whose own certificates are such, too.';
    case 'wrong-name':
      return 'Probe it by a name that the certificate has, or give that name with --sni.';
    default:
      return failure satisfies never;
  }
}

/** Services that wait for the client to speak first, or may. */
const CLIENT_FIRST = /^(http|tls|x400)|^\w+s$/;

/** The most useful next step when the service did not answer as it should. */
export function adviseOnService(finding: ServiceFinding): string | null {
  switch (finding.state) {
    case 'answered':
      return null;
    case 'silent':
      if (hasBegun(finding))
        return 'It is slow, or hangs half-way: look at the service itself. A longer --timeout gives it more time.';
      if (CLIENT_FIRST.test(finding.name))
        return 'Something accepts connections and then says nothing: the service hangs or is overloaded, or the port is for another protocol.';
      return 'Something accepts connections and then says nothing: the service hangs, greets late on purpose (then give it a longer --timeout), or waits for us, as services with TLS from the start and HTTP do.';
    case 'dropped':
      return `Probably a load balancer or proxy with no service behind it, or a service that wants no connection from here (access list, too many at once)${finding.tls === null ? '' : ', or none without a certificate of the client'}: its log tells.${finding.name === 'http' && finding.unfinished === null ? ' Or the port has TLS from the start: try https.' : ''}`;
    case 'wrong-protocol':
      return 'Another service has that port, a proxy answers in its place, or it takes no clients now: check the port, the name behind --service, and the log of the service.';
    case 'tls-failed':
      return `${adviseOnTls(finding.failure)}${finding.tls !== null && INSECURE.has(finding.failure) ? ' --insecure passes that over.' : ''}`;
    default:
      return finding satisfies never;
  }
}
