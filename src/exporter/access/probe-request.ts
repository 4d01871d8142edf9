import { parseDuration } from '../../core/duration.js';
import { type ServiceRequest, SERVICES } from '../../core/service/registry.js';
import {
  parseServerName,
  parseServiceName,
  TLS_SERVICE_NAMES,
} from '../../core/service/service-parameters.js';
import type { Target } from '../../core/target/target.js';
import { parseTarget } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';
import { Refusal } from './refusal.js';

/** What `GET /probe?…` asks for. */
export interface ProbeRequest {
  readonly target: Target;
  /** Milliseconds; null for the default of the exporter. */
  readonly timeoutMs: number | null;
  /** Probe every address of the name, each with its own verdict. */
  readonly all: boolean;
  /** The service that must answer on the open port; null for none. */
  readonly service: ServiceRequest | null;
}

/** The longest timeout of a probe, milliseconds. Scrapes seldom have more time. */
export const MAX_TIMEOUT_MS = 120_000;

/** The parameters of `/probe`. */
const PARAMETERS = ['target', 'timeout', 'service', 'sni', 'insecure', 'all'] as const;
type Parameter = (typeof PARAMETERS)[number];

/** The value of each parameter; null where it is missing. A form sends its empty fields as ''. */
type Values = Readonly<Record<Parameter, string | null>>;

function readValues(parameters: URLSearchParams): Values {
  for (const name of parameters.keys()) {
    if (!PARAMETERS.some((known) => known === name))
      throw new UsageError(`${name}: unknown parameter; allowed: ${PARAMETERS.join(', ')}`);
    if (parameters.getAll(name).length > 1)
      throw new UsageError(`${name}: given more than once; allowed: once`);
  }
  return Object.fromEntries(PARAMETERS.map((name) => [name, parameters.get(name)])) as Values;
}

function parseFlag(value: string | null, name: Parameter): boolean {
  if (value === null || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1') return true;
  throw new UsageError(`${name}: "${value}" is not a truth value; allowed: true, false, 1, 0`);
}

function parseTargetParameter(value: string | null): Target {
  const text = value?.trim() ?? '';
  if (text === '') throw new UsageError('target: missing; write: /probe?target=db:5432');
  try {
    return parseTarget([text]);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // The refusal of an unknown zone lists the interfaces of this machine: not for clients.
    const [what = '', ...help] = error.message.split('; ');
    const shown = text.includes('%') ? [what] : [what, ...help];
    throw new UsageError(`target: "${text}" cannot be probed: ${shown.join('; ')}`);
  }
}

function readService(values: Values): ServiceRequest | null {
  const [service, sni] = [values.service || null, values.sni || null];
  const insecure = parseFlag(values.insecure, 'insecure');
  const aboutTls = sni !== null ? 'sni' : insecure ? 'insecure' : null;
  const allowedTls = `allowed with service= and one of: ${TLS_SERVICE_NAMES.join(', ')}`;
  if (service === null) {
    if (aboutTls === null) return null;
    throw new UsageError(`${aboutTls}: no service is requested; ${allowedTls}`);
  }
  const name = parseServiceName(service, 'service');
  if (aboutTls !== null && SERVICES[name].tls === null)
    throw new UsageError(`${aboutTls}: ${name} has no TLS; ${allowedTls}`);
  return { name, insecure, ...(sni === null ? {} : { sni: parseServerName(sni, 'sni') }) };
}

/**
 * Reads the parameters of a probe.
 *
 * @throws Refusal (`bad-request`) naming the parameter, what is wrong with it and what is allowed
 */
export function readProbeRequest(parameters: URLSearchParams): ProbeRequest {
  try {
    const values = readValues(parameters);
    const { timeout } = values;
    return {
      target: parseTargetParameter(values.target),
      timeoutMs: timeout ? parseDuration(timeout, 'timeout', 1, MAX_TIMEOUT_MS) : null,
      all: parseFlag(values.all, 'all'),
      service: readService(values),
    };
  } catch (error) {
    throw error instanceof UsageError ? new Refusal('bad-request', error.message) : error;
  }
}

/**
 * The timeout of a probe, short enough for Prometheus to get the answer: at most its scrape timeout
 * less `offsetMs`, which the answer needs. Where that leaves less than half, half of it.
 *
 * @param askedMs the timeout of the request or of the exporter, milliseconds
 * @param header the value of `X-Prometheus-Scrape-Timeout-Seconds`, if there is one
 * @returns milliseconds, at least 1
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
      `X-Prometheus-Scrape-Timeout-Seconds: "${header}" is not a number of seconds; ` +
        'allowed: above 0',
    );
  return Math.max(Math.min(askedMs, Math.max(scrapeMs - offsetMs, scrapeMs / 2)), 1);
}
