import type { HelperProcess } from './helper-process.js';

/** What the server does instead of giving addresses; `silent` never answers, `NODATA` is an answer without records. */
type DnsFailure = 'NXDOMAIN' | 'NODATA' | 'SERVFAIL' | 'REFUSED' | 'FORMERR' | 'NOTIMP' | 'silent';

/** The addresses of a name. A family may fail by itself (`AAAA: 'silent'`); one left out is NODATA. */
interface DnsRecords {
  A?: string[] | DnsFailure;
  AAAA?: string[] | DnsFailure;
  /** This name is an alias. The answer has its CNAME record and what the zone says of that name; a loop ends without addresses. */
  CNAME?: string;
  /** Answer this much later, milliseconds; of one type only when that is named. */
  delayMs?: number | { A?: number; AAAA?: number };
}

/** Names, without the final dot and in any case, and what is known of them. */
export type DnsZone = Record<string, DnsRecords | DnsFailure>;

/** A DNS server to start. */
export interface DnsServerOptions {
  /** Address to listen on; `::` (the default) takes IPv4 too. */
  address?: string;
  /** Port for UDP and TCP, 53 unless given. */
  port?: number;
  zone: DnsZone;
  /** The answer for names that are not in the zone; NXDOMAIN unless given. */
  unknown?: DnsFailure;
}

/** A query as the server received it. */
export interface DnsQuery {
  name: string;
  type: string;
  transport: 'udp' | 'tcp';
}

/** A DNS server running in a namespace of the lab (`Lab.dns` starts it). */
export class DnsServer {
  readonly #helper: HelperProcess;

  constructor(helper: HelperProcess) {
    this.#helper = helper;
  }

  /** All queries so far, in order of arrival. */
  async queries(): Promise<DnsQuery[]> {
    return this.#helper.ask({});
  }

  /** Adds names, or changes those that are there. */
  async update(zone: DnsZone): Promise<void> {
    await this.#helper.ask({ zone });
  }

  /** Stops it; what follows is ECONNREFUSED for the resolver, not silence. */
  async stop(): Promise<void> {
    await this.#helper.stop();
  }
}
