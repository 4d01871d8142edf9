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
import { MAX_TIMEOUT_MS, type Modules, type ProbeModule } from '../config/modules.js';
import { Refusal } from './refusal.js';

/** What `GET /probe?…` asks for. */
export interface ProbeRequest {
  readonly target: Target;
  /** The name of the module; empty when the request names none. */
  readonly moduleName: string;
  /** How the probe is made: the module with what the request changes. */
  readonly module: ProbeModule;
  /** Probe every address of the name, each with its own verdict. */
  readonly all: boolean;
  /** Answer with the course of the probe in words. */
  readonly debug: boolean;
}

/** The parameters of `/probe`. */
const PARAMETERS = [
  'target',
  'module',
  'timeout',
  'service',
  'sni',
  'hostname',
  'insecure',
  'all',
  'debug',
] as const;
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

/** A target that was encoded twice, which blackbox_exporter decodes twice; null for any other. */
function parseDecoded(text: string): Target | null {
  try {
    const decoded = decodeURIComponent(text);
    return decoded === text ? null : parseTarget([decoded]);
  } catch {
    return null;
  }
}

function parseTargetParameter(value: string | null): Target {
  const text = value?.trim() ?? '';
  if (text === '') throw new UsageError('target: missing; write: /probe?target=db:5432');
  try {
    return parseTarget([text]);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const decoded = parseDecoded(text);
    if (decoded) return decoded;
    // The refusal of an unknown zone lists the interfaces of this machine: not for clients.
    const [what = '', ...help] = error.message.split('; ');
    const shown = text.includes('%') ? [what] : [what, ...help];
    throw new UsageError(`target: "${text}" cannot be probed: ${shown.join('; ')}`);
  }
}

function readModule({ module: text }: Values, modules: Modules): [string, ProbeModule] {
  const name = text ?? '';
  const module = name === '' ? {} : modules.get(name);
  if (module === undefined)
    throw new UsageError(
      `module: "${name}" is unknown; allowed: ${[...modules.keys()].join(', ')}`,
    );
  return [name, module];
}

/** The service of the module or of the request. */
function chooseService(values: Values, module: ProbeModule): ServiceRequest | undefined {
  if (!values.service) return module.service;
  if (module.service)
    throw new UsageError(
      `service: the module ${values.module} has a service; allowed with module=tcp_connect`,
    );
  return { name: parseServiceName(values.service, 'service') };
}

/** The service, and how the request changes its TLS. */
function readService(values: Values, module: ProbeModule): ServiceRequest | undefined {
  const service = chooseService(values, module);
  const name = service?.name;
  const insecure = parseFlag(values.insecure, 'insecure');
  const tls = name === undefined ? null : SERVICES[name].tls;
  const aboutTls = values.sni ? 'sni' : insecure ? 'insecure' : null;
  if (service === undefined || tls === null) {
    if (aboutTls === null) return service;
    const problem = name === undefined ? 'no service is requested' : `${name} has no TLS`;
    throw new UsageError(
      `${aboutTls}: ${problem}; allowed with service= and one of: ${TLS_SERVICE_NAMES.join(', ')}`,
    );
  }
  // As in blackbox_exporter, `hostname` is for TLS without another name, and else without effect.
  const sni = values.sni
    ? parseServerName(values.sni, 'sni')
    : (service.sni ?? (values.hostname ? parseServerName(values.hostname, 'hostname') : undefined));
  return {
    ...service,
    insecure: insecure || service.insecure === true,
    ...(sni === undefined ? {} : { sni }),
  };
}

/**
 * Reads the parameters of a probe.
 *
 * @param modules those that may be named
 * @throws Refusal (`bad-request`) naming the parameter, what is wrong with it and what is allowed
 */
export function readProbeRequest(parameters: URLSearchParams, modules: Modules): ProbeRequest {
  try {
    const values = readValues(parameters);
    const { timeout } = values;
    const target = parseTargetParameter(values.target);
    const [moduleName, module] = readModule(values, modules);
    return {
      target,
      moduleName,
      module: {
        ...module,
        service: readService(values, module),
        ...(timeout ? { timeoutMs: parseDuration(timeout, 'timeout', 1, MAX_TIMEOUT_MS) } : {}),
      },
      all: parseFlag(values.all, 'all'),
      debug: parseFlag(values.debug, 'debug'),
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
  if (header === undefined || header === '') return askedMs;
  const scrapeMs = /^\d{1,9}(\.\d{1,9})?$/.test(header) ? Number(header) * 1000 : 0;
  if (scrapeMs <= 0)
    throw new Refusal(
      'bad-request',
      `X-Prometheus-Scrape-Timeout-Seconds: "${header}" is not a number of seconds; ` +
        'allowed: above 0',
    );
  return Math.max(Math.min(askedMs, Math.max(scrapeMs - offsetMs, scrapeMs / 2)), 1);
}
