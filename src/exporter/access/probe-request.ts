import { parseDuration } from '../../core/duration.js';
import { SERVICE_NAMES, type ServiceRequest, SERVICES } from '../../core/service/registry.js';
import { isServerName, type Target } from '../../core/target/target.js';
import { parseTarget } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';
import { Refusal } from './refusal.js';

/** What `GET /probe?…` asks for. */
export interface ProbeRequest {
  readonly target: Target;
  /** Milliseconds; null for the exporter's own. */
  readonly timeoutMs: number | null;
  /** Every address of the name, each with its own verdict. */
  readonly all: boolean;
  /** Who must answer behind the open port; null when nobody is asked. */
  readonly service: ServiceRequest | null;
}

/** The longest a probe may take, milliseconds, whoever asks: a scrape seldom has more. */
export const MAX_TIMEOUT_MS = 120_000;

const PARAMETERS = ['target', 'timeout', 'service', 'sni', 'insecure', 'all'] as const;
const ALLOWED = `allowed: ${PARAMETERS.join(', ')}`;

function readFlag(name: string, value: string | null): boolean {
  if (value === null || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1') return true;
  throw new Refusal('bad-request', `${name}: "${value}" is neither true nor false`);
}

function readTimeout(value: string | null): number | null {
  if (value === null || value === '') return null; // an empty field of the form
  return parseDuration(value, 'timeout', 1, MAX_TIMEOUT_MS);
}

function readService(parameters: URLSearchParams): ServiceRequest | null {
  const value = parameters.get('service') ?? '';
  const sni = parameters.get('sni') ?? '';
  const insecure = readFlag('insecure', parameters.get('insecure'));
  const aboutTls = sni !== '' ? 'sni' : insecure ? 'insecure' : null;
  if (value === '') {
    if (aboutTls !== null)
      throw new Refusal('bad-request', `${aboutTls}: no service is asked; allowed with service=`);
    return null;
  }
  const name = SERVICE_NAMES.find((each) => each === value.toLowerCase());
  if (name === undefined)
    throw new Refusal(
      'bad-request',
      `service: "${value}" is not the name of a service; allowed: ${SERVICE_NAMES.join(', ')}`,
    );
  if (aboutTls !== null && SERVICES[name].tls === null)
    throw new Refusal('bad-request', `${aboutTls}: ${name} has no TLS`);
  if (sni !== '' && !isServerName(sni))
    throw new Refusal('bad-request', `sni: "${sni}" is not a host name`);
  return { name, insecure, ...(sni === '' ? {} : { sni }) };
}

/**
 * Reads the parameters of a probe.
 *
 * @throws Refusal (`bad-request`) naming the parameter, what is wrong with it and what is allowed
 */
export function readProbeRequest(parameters: URLSearchParams): ProbeRequest {
  for (const name of parameters.keys()) {
    if (!PARAMETERS.some((known) => known === name))
      throw new Refusal('bad-request', `${name}: no such parameter; ${ALLOWED}`);
    if (parameters.getAll(name).length > 1)
      throw new Refusal('bad-request', `${name}: given more than once`);
  }
  const word = parameters.get('target')?.trim() ?? '';
  if (word === '')
    throw new Refusal('bad-request', 'target: nothing given; write: /probe?target=db:5432');
  try {
    return {
      target: parseTarget([word]),
      timeoutMs: readTimeout(parameters.get('timeout')),
      all: readFlag('all', parameters.get('all')),
      service: readService(parameters),
    };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { message } = error;
    // What the command says to whoever runs it has another form here, and the names of this machine's interfaces are nobody's business.
    const reason = message
      .replace(/; write: .*$/s, '; write: host:port')
      .replace(/, which this machine does not have.*$/s, ', which the exporter does not have');
    throw new Refusal(
      'bad-request',
      message.startsWith('timeout: ') ? message : `target: "${word}" cannot be probed: ${reason}`,
    );
  }
}

/**
 * How long a probe may take so that its answer is there in time: what is asked for, and no longer than Prometheus waits (its header
 * `X-Prometheus-Scrape-Timeout-Seconds`) less what the answer needs on its way. Of a wait that is shorter than that, half.
 *
 * @returns milliseconds
 * @throws Refusal (`bad-request`) when the header is not a number of seconds
 */
export function chooseTimeout(
  askedMs: number,
  offsetMs: number,
  header: string | undefined,
): number {
  if (header === undefined) return askedMs;
  const scrapeMs = /^\d{1,9}(\.\d{1,9})?$/.test(header) ? Number(header) * 1000 : 0;
  if (scrapeMs <= 0)
    throw new Refusal(
      'bad-request',
      `X-Prometheus-Scrape-Timeout-Seconds: "${header}" is not a number of seconds above 0`,
    );
  return Math.max(Math.min(askedMs, Math.max(scrapeMs - offsetMs, scrapeMs / 2)), 1);
}
