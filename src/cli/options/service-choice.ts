import {
  serviceNameOfPort,
  SERVICE_NAMES,
  type ServiceRequest,
  SERVICES,
} from '../../core/service/registry.js';
import { TLS_SERVICE_NAMES } from '../../core/service/service-parameters.js';
import type { TargetRequest } from '../../core/target/target-list.js';
import type { OptionValues } from './option-table.js';
import { refusal } from './rule.js';

/** The service that a command line asks for, and the check of each target before any probe. */
export interface ServiceChoice {
  readonly request: ServiceRequest;
  /**
   * Checks the port of a target.
   *
   * @throws UsageError when no service stands for the port
   */
  check(port: number, request?: Pick<TargetRequest, 'expect' | 'origin'>): void;
  /**
   * To be called after the last target.
   *
   * @throws UsageError when there are options for TLS, but no target has a service with TLS
   */
  finish(): void;
}

/** The option for TLS that is given; null when there is none. */
function tlsOption({ sni, insecure, tlsMinDays }: OptionValues): string | null {
  if (sni !== undefined) return '--sni';
  if (insecure) return '--insecure';
  return tlsMinDays === undefined ? null : '--tls-min-days';
}

/** The service that is asked for; null when none is. */
export function chooseService(options: OptionValues): ServiceChoice | null {
  const { service, sni, insecure, tlsMinDays } = options;
  if (service === undefined) return null;
  const name = service === true ? undefined : service;
  let seesTls = name !== undefined;
  return {
    request: { name, sni, insecure, tlsMinDays },
    check(port, { expect = options.expect, origin } = {}) {
      if (name !== undefined || expect !== 'open') return;
      const selected = serviceNameOfPort(port);
      if (selected === undefined)
        throw refusal(
          origin === undefined ? '--service' : `${origin}: --service`,
          `no service is known for port ${port}`,
          `use --service=NAME with one of: ${SERVICE_NAMES.join(', ')} ` +
            '(banner accepts any first line)',
        );
      seesTls ||= SERVICES[selected].tls !== null;
    },
    finish() {
      const option = tlsOption(options);
      if (option === null || seesTls) return;
      throw refusal(
        option,
        'no port here has a TLS service by default',
        `use --service=NAME with one of: ${TLS_SERVICE_NAMES.join(', ')}`,
      );
    },
  };
}
