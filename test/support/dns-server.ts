import type { HelperProcess } from './helper-process.js';

/**
 * A reply without addresses. `silent` sends none at all; `NODATA` has no records. The others after
 * it are forms of NODATA and of no answer at all (RFC 2308, section 2.2).
 */
type DnsFailure =
  | 'NXDOMAIN'
  | 'SERVFAIL'
  | 'REFUSED'
  | 'FORMERR'
  | 'NOTIMP'
  | 'silent'
  | 'NODATA'
  /** From a server that resolves, with SOA. */
  | 'NODATA SOA'
  /** From the server of the zone, which does no recursion. */
  | 'NODATA AUTHORITATIVE'
  /** From a server that does no recursion: other servers to ask, with or without an address. */
  | 'REFERRAL'
  | 'REFERRAL BARE'
  /** From a server that does no recursion: nothing. */
  | 'NO RECURSION';

/** The addresses of a name. One family may fail alone (`AAAA: 'silent'`). Absent means NODATA. */
interface DnsRecords {
  A?: string[] | DnsFailure;
  AAAA?: string[] | DnsFailure;
  /** The name is an alias: reply with this CNAME record and the records of its target. */
  CNAME?: string;
  /** Delay of the reply, ms: one for both types, or one for each. */
  delayMs?: number | { A?: number; AAAA?: number };
  /** How many queries of a type get no reply, before the first that does. */
  lost?: { A?: number; AAAA?: number };
  /** Over UDP, reply without records and with the bit that asks for TCP. */
  truncated?: boolean;
}

/** Names without the final dot, in any case, and their records. */
export type DnsZone = Record<string, DnsRecords | DnsFailure>;

/** A DNS server to start. */
export interface DnsServerOptions {
  /** Address to listen on; `::` (the default) takes IPv4 too. */
  address?: string;
  /** Port for UDP and TCP, 53 unless given. */
  port?: number;
  /** Whether it also listens on TCP; true unless given. */
  tcp?: boolean;
  /** Reply over UDP from this address, as a server with several may. */
  replyFrom?: string;
  zone: DnsZone;
  /** The reply for names outside the zone; NXDOMAIN unless given. */
  unknown?: DnsFailure;
}

/** A query as the server received it. */
export interface DnsQuery {
  name: string;
  type: string;
  transport: 'udp' | 'tcp';
  /** When it came, on the clock of `machineClock`. */
  atMs: number;
}

/** A DNS server in a namespace of the lab. `Lab.dns` starts it. */
export class DnsServer {
  readonly #helper: HelperProcess;

  constructor(helper: HelperProcess) {
    this.#helper = helper;
  }

  /** All queries so far, in order of arrival. */
  async queries(): Promise<DnsQuery[]> {
    return this.#helper.ask({});
  }

  /** Adds names or replaces their records. */
  async update(zone: DnsZone): Promise<void> {
    await this.#helper.ask({ zone });
  }

  /** Stops it. From then on queries get ECONNREFUSED, not silence. */
  async stop(): Promise<void> {
    await this.#helper.stop();
  }
}
