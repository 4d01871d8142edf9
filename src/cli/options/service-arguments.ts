import {
  serviceNameOfPort,
  SERVICE_NAMES,
  type ServiceName,
  type ServiceRequest,
  SERVICES,
} from '../../core/service/registry.js';
import type { TargetRequest } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';

/** What `--service` is when no name stands behind it: the port decides. */
export const BY_PORT = 'by-port';

/** The options about a service as commander has them. */
export interface RawServiceOptions {
  readonly service?: ServiceName | typeof BY_PORT;
  readonly sni?: string;
  readonly insecure?: true;
  readonly tlsMinDays?: number;
}

/** The service that a command line asks for, and who looks at each target before anything is sent. */
export interface ServiceChoice {
  readonly request: ServiceRequest;
  /** Looks at the port of a target; throws a UsageError when it does not tell which service it has. */
  check(port: number, request?: Pick<TargetRequest, 'expect' | 'origin'>): void;
  /** Is called when there is no further target; throws when options about TLS had none to mean. */
  finish(): void;
}

const withTls = (): string =>
  SERVICE_NAMES.filter((name) => SERVICES[name].tls !== null).join(', ');

function optionAboutTls({ sni, insecure, tlsMinDays }: RawServiceOptions): string | null {
  if (sni !== undefined) return '--sni';
  if (insecure) return '--insecure';
  return tlsMinDays === undefined ? null : '--tls-min-days';
}

/**
 * Checks the options about a service against each other.
 *
 * @param expect what the port must be
 * @throws UsageError when they do not go together
 */
export function chooseService(options: RawServiceOptions, expect: string): ServiceChoice | null {
  const { service, sni, insecure, tlsMinDays } = options;
  const aboutTls = optionAboutTls(options);
  if (service === undefined) {
    if (aboutTls !== null)
      throw new UsageError(
        `${aboutTls}: nothing speaks TLS here; allowed with --service and one of ${withTls()}`,
      );
    return null;
  }
  if (expect !== 'open')
    throw new UsageError(
      `--service: only an open port has a service to ask; allowed with --expect open, not ${expect}`,
    );
  const name = service === BY_PORT ? undefined : service;
  if (name !== undefined && SERVICES[name].tls === null && aboutTls !== null)
    throw new UsageError(
      `${aboutTls}: ${name} has no TLS; allowed with --service and one of ${withTls()}`,
    );
  let seesTls = name !== undefined;
  return {
    request: { name, sni, insecure, tlsMinDays },
    check(port, { expect: own = expect, origin } = {}) {
      if (name !== undefined || own !== 'open') return;
      const decided = serviceNameOfPort(port);
      if (decided === undefined) {
        const where = origin === undefined ? '' : `${origin}: `;
        throw new UsageError(
          `${where}--service: port ${port} does not tell which service it has; name one: ${SERVICE_NAMES.join(', ')} (--service=banner takes whatever is said first)`,
        );
      }
      seesTls ||= SERVICES[decided].tls !== null;
    },
    finish() {
      if (aboutTls !== null && !seesTls)
        throw new UsageError(
          `${aboutTls}: none of the ports stands for a service with TLS; name one: ${withTls()}`,
        );
    },
  };
}

/**
 * Joins `--service` and its name, which it may or may not have: the word behind it is that only when it is the name of a service, so that
 * `--service db 5432` means what it says.
 *
 * @returns the words, and what to add to an error about the words of the targets, where it explains that: how the word behind `--service` was taken
 */
export function completeService(argv: readonly string[]): {
  readonly argv: string[];
  hintFor(targetWords: readonly string[]): string;
} {
  const words: string[] = [];
  let hintFor = (_: readonly string[]): string => '';
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    const next = argv[index + 1];
    const name = SERVICE_NAMES.find((each) => each === next?.toLowerCase());
    if (word !== '--service') words.push(word);
    else if (name !== undefined) {
      words.push(`--service=${name}`);
      index += 1;
      hintFor = ([first = '', ...rest]) =>
        rest.length === 0 && /^[\d,-]+$/.test(first)
          ? `; "${next}" was taken for the service: for a host of that name write --service=${name} ${next} <port>`
          : '';
    } else {
      words.push(`--service=${BY_PORT}`);
      if (next !== undefined && /^[a-z][\w+-]*$/i.test(next))
        hintFor = ({ length }) =>
          length > 2
            ? `; "${next}" was taken for the host, as it is not the name of a service: ${SERVICE_NAMES.join(', ')}`
            : '';
    }
  }
  return { argv: words, hintFor };
}

/**
 * The value of `--service`.
 *
 * @throws UsageError when it is not the name of a service
 */
export function parseServiceName(text: string): ServiceName | typeof BY_PORT {
  if (text === BY_PORT) return text;
  const name = SERVICE_NAMES.find((each) => each === text.toLowerCase());
  if (name === undefined)
    throw new UsageError(
      `--service: "${text}" is not the name of a service; allowed: ${SERVICE_NAMES.join(', ')}`,
    );
  return name;
}
