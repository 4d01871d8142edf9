import { parseDuration } from '../../core/duration.js';
import {
  SERVICE_NAMES,
  type ServiceName,
  type ServiceRequest,
  SERVICES,
} from '../../core/service/registry.js';
import {
  parseServerName,
  parseServiceName,
  TLS_SERVICE_NAMES,
} from '../../core/service/service-parameters.js';
import { checkSourceFamily, parseSourceAddress } from '../../core/target/address-parameters.js';
import { UsageError } from '../../core/usage-error.js';
import { type Fields, fieldsOf, flagAt, mappingAt, textAt, wordAt } from './fields.js';

/** The longest timeout of a probe, milliseconds. Scrapes seldom have more time. */
export const MAX_TIMEOUT_MS = 120_000;

/** How a probe is made, under a name that requests use: `module=smtp`. */
export interface ProbeModule {
  /** Milliseconds; undefined for the default of the exporter. */
  readonly timeoutMs?: number | undefined;
  /** The service that must answer on the open port. */
  readonly service?: ServiceRequest | undefined;
  /** Probe only addresses of this family. */
  readonly family?: 4 | 6 | undefined;
  /** Probe only addresses of this family, if there are any. */
  readonly preferredFamily?: 4 | 6 | undefined;
  readonly sourceAddress?: string | undefined;
}

/** Modules by their names. */
export type Modules = ReadonlyMap<string, ProbeModule>;

/** The modules that need no file: a plain connect, and one for each service. */
export const BUILT_IN_MODULES: Modules = new Map<string, ProbeModule>([
  ['tcp_connect', {}],
  ...SERVICE_NAMES.map((name): [string, ProbeModule] => [name, { service: { name } }]),
]);

const MODULE_KEYS = ['prober', 'timeout', 'tcp'];
const TCP_KEYS = [
  'preferred_ip_protocol',
  'ip_protocol_fallback',
  'source_ip_address',
  'service',
  'tls',
  'tls_config',
];
const TLS_KEYS = ['server_name', 'insecure_skip_verify'];

const FAMILIES = { ip4: 4, ip6: 6 } as const;

function readService(tcp: Fields): ServiceRequest | undefined {
  const tls = flagAt(tcp, 'tls') ?? false;
  const name: ServiceName | undefined =
    textAt(tcp, 'service', parseServiceName) ?? (tls ? 'tls' : undefined);
  const config = mappingAt(tcp, 'tls_config', TLS_KEYS);
  const allowed = `allowed: service with one of: ${TLS_SERVICE_NAMES.join(', ')}`;
  if (name === undefined || SERVICES[name].tls === null) {
    if (tls) throw new UsageError(`${tcp.path}.tls: ${name} has no TLS; ${allowed}`);
    if (config) throw new UsageError(`${config.path}: is there without TLS; ${allowed}`);
    return name && { name };
  }
  if (config === undefined) return { name };
  return {
    name,
    insecure: flagAt(config, 'insecure_skip_verify') ?? false,
    sni: textAt(config, 'server_name', parseServerName),
  };
}

function readFamily(tcp: Fields): Pick<ProbeModule, 'family' | 'preferredFamily'> {
  const preferred = wordAt(tcp, 'preferred_ip_protocol', ['ip4', 'ip6']);
  const fallback = flagAt(tcp, 'ip_protocol_fallback');
  if (preferred === undefined) {
    if (fallback === undefined) return {};
    throw new UsageError(
      `${tcp.path}.ip_protocol_fallback: is there without preferred_ip_protocol; ` +
        'allowed: together',
    );
  }
  const family = FAMILIES[preferred];
  return fallback === false ? { family } : { preferredFamily: family };
}

function readModule(value: unknown, path: string): ProbeModule {
  const fields = fieldsOf(value ?? {}, path, MODULE_KEYS);
  wordAt(fields, 'prober', ['tcp']);
  const timeoutMs = textAt(fields, 'timeout', (text, name) =>
    parseDuration(text, name, 1, MAX_TIMEOUT_MS),
  );
  const tcp = mappingAt(fields, 'tcp', TCP_KEYS);
  if (tcp === undefined) return { timeoutMs };
  const families = readFamily(tcp);
  const sourceAddress = textAt(tcp, 'source_ip_address', parseSourceAddress);
  checkSourceFamily(sourceAddress, families.family, `${tcp.path}.source_ip_address`);
  return { timeoutMs, service: readService(tcp), ...families, sourceAddress };
}

/**
 * The modules of a configuration file in the form of blackbox_exporter, beside the built-in ones.
 *
 * @param content the file, parsed
 * @throws UsageError naming the key, what is wrong with it and what is allowed
 */
export function readModules(content: unknown): Modules {
  const file = fieldsOf(content ?? {}, '--config.file', ['modules']);
  const own = mappingAt({ ...file, path: '--config.file' }, 'modules')?.values ?? {};
  return new Map([
    ...BUILT_IN_MODULES,
    ...Object.entries(own).map(([name, value]): [string, ProbeModule] => [
      name,
      readModule(value, `--config.file.modules.${name}`),
    ]),
  ]);
}

/** A module as the configuration file would have it. */
export function describeModule(module: ProbeModule): object {
  const { timeoutMs, service, family, preferredFamily, sourceAddress } = module;
  const { name, sni, insecure } = service ?? {};
  const preferred = family ?? preferredFamily;
  const tcp = {
    ...(preferred === undefined ? {} : { preferred_ip_protocol: `ip${preferred}` }),
    ...(family === undefined ? {} : { ip_protocol_fallback: false }),
    ...(sourceAddress === undefined ? {} : { source_ip_address: sourceAddress }),
    ...(name === undefined ? {} : { service: name }),
    ...(sni === undefined && !insecure
      ? {}
      : {
          tls_config: {
            ...(sni === undefined ? {} : { server_name: sni }),
            ...(insecure ? { insecure_skip_verify: true } : {}),
          },
        }),
  };
  return {
    prober: 'tcp',
    ...(timeoutMs === undefined ? {} : { timeout: `${timeoutMs}ms` }),
    ...(Object.keys(tcp).length === 0 ? {} : { tcp }),
  };
}
