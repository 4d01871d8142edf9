import { monotonicClock } from '../../core/clock.js';
import { familyOf, formatHostPort } from '../../core/target/target.js';
import { AddressBlocks, embeddedIpv4 } from './address-blocks.js';
import { type AllowRule, comparableName, parseAllowRule } from './allow-rule.js';
import { ownAddresses } from './own-addresses.js';
import { CLOUD_METADATA, DEFAULT_RULES, LOOPBACK, NEVER_BY_NAME } from './special-addresses.js';

/** How long the addresses of this machine are cached, milliseconds: listing many takes time. */
const OWN_ADDRESSES_MS = 1000;

const loopback = new AddressBlocks(LOOPBACK);
const cloudMetadata = new AddressBlocks(CLOUD_METADATA);
const neverByName = new AddressBlocks(NEVER_BY_NAME);

const withoutZone = (address: string): string => address.split('%', 1)[0] ?? '';

const hasPort = ({ ports }: AllowRule, port: number): boolean =>
  ports.some(({ first, last }) => port >= first && port <= last);

/**
 * What may be probed: a list of rules. One must permit the address that is actually dialled.
 *
 * A rule for names never permits this machine, its links or a cloud's metadata service: whoever
 * runs the DNS of the name could make the exporter probe them. They need a rule for addresses.
 */
export class AllowList {
  /** The rules as they were written, or the default ones. */
  readonly rules: readonly string[];
  /** No rule was given. */
  readonly isDefault: boolean;
  readonly #rules: readonly AllowRule[];
  readonly #findOwn: () => readonly string[];
  #own: { readonly blocks: AddressBlocks; readonly untilMs: number } | null = null;

  /**
   * @param rules each `<address | CIDR block | host pattern>[:ports]`; when empty, `DEFAULT_RULES`
   * @param findOwn finds the addresses and local CIDR blocks of this machine
   * @throws UsageError naming the rule
   */
  constructor(rules: readonly string[], findOwn: () => readonly string[] = ownAddresses) {
    this.#findOwn = findOwn;
    this.isDefault = rules.length === 0;
    this.rules = this.isDefault ? DEFAULT_RULES : rules;
    this.#rules = this.rules.map(parseAllowRule);
  }

  /**
   * Whether a rule permits a probe of this address.
   *
   * @param host as it was asked for: a name or the address itself
   * @param address the address that would be dialled
   */
  permits(host: string, address: string, port: number): boolean {
    return this.#rulesFor(port).some(({ addresses, names, isLocalhost }) => {
      if (addresses)
        return addresses.has(address) && !(this.isDefault && cloudMetadata.has(address));
      if (familyOf(host) !== null || !names?.test(comparableName(host))) return false;
      return !this.#isNeverByName(address) || (isLocalhost && loopback.has(address));
    });
  }

  /** Whether a rule could permit this name at some address. If not, it need not be resolved. */
  mayPermit(host: string, port: number): boolean {
    return this.#rulesFor(port).some(
      ({ addresses, names }) => addresses !== null || names?.test(comparableName(host)),
    );
  }

  /**
   * Why a target is not permitted, and which rule would permit it. It reveals no address of a name.
   *
   * @param addresses those of the name, as far as it was resolved
   */
  refusal(host: string, port: number, addresses: readonly string[] = []): string {
    const target = formatHostPort(host, port);
    const refused = `${target} is not allowed here`;
    // Rules have no zone.
    if (familyOf(host) !== null)
      return `${refused}; --allow ${formatHostPort(withoutZone(host), port)} would permit it`;
    // A second rule for the name would not help. The addresses of this machine may have changed.
    const isNamed = this.#rulesFor(port).some(({ names }) => names?.test(comparableName(host)));
    const isNeverByName =
      addresses.length > 0 &&
      (isNamed || addresses.every((address) => this.#isNeverByName(address)));
    return isNeverByName
      ? `${refused}: it leads to this machine, its links or a cloud's metadata service, ` +
          `which no rule for names permits; --allow <address>:${port} would permit it`
      : `${refused}; --allow ${target}, or a rule for its addresses, would permit it`;
  }

  #isNeverByName(address: string): boolean {
    const own = this.#ownBlocks();
    return [address, embeddedIpv4(address)].some(
      (each) => each !== null && (neverByName.has(each) || own.has(each)),
    );
  }

  #ownBlocks(): AddressBlocks {
    const nowMs = monotonicClock();
    if (this.#own === null || nowMs >= this.#own.untilMs)
      this.#own = {
        blocks: new AddressBlocks(this.#findOwn().map(withoutZone)),
        untilMs: nowMs + OWN_ADDRESSES_MS,
      };
    return this.#own.blocks;
  }

  #rulesFor(port: number): readonly AllowRule[] {
    return this.#rules.filter((rule) => hasPort(rule, port));
  }
}
