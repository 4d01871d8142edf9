import type { IncomingHttpHeaders } from 'node:http';
import { familyOf } from '../../core/target/target.js';
import { AddressBlocks } from './address-blocks.js';
import { comparableName } from './allow-rule.js';
import { Refusal } from './refusal.js';
import { LOOPBACK } from './special-addresses.js';

const loopback = new AddressBlocks(LOOPBACK);

/** What the guard looks at. */
export interface GuardedRequest {
  /** Host and port that were asked for: the `Host` header, or those of the URL, if it has any. */
  readonly authority: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** The host of an authority, without brackets and port. */
function hostOf(authority: string): string {
  const [, address, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(authority) ?? [];
  return address ?? name;
}

/** Host and port of an origin or a URL; null when it has none, as the origin `null`. */
const authorityOf = (url: string): string | null => (URL.canParse(url) ? new URL(url).host : null);

/**
 * Every browser sends both headers. A page cannot change the first without asking for permission
 * (Fetch standard, CORS-safelisted request headers), and cannot remove the second.
 */
const isBrowser = (headers: IncomingHttpHeaders): boolean =>
  /^Mozilla\//.test(headers['user-agent'] ?? '') && headers['accept-language'] !== undefined;

/**
 * Keeps web pages of other sites from using the exporter through the browser of a person who can
 * reach it.
 *
 * A page can make a browser send requests anywhere. The browser says so in `Sec-Fetch-Site`, or in
 * `Origin` and `Referer`. A page can also make its own name lead to the exporter (DNS rebinding).
 * Then only the `Host` header shows it.
 */
export class BrowserGuard {
  readonly #names: readonly string[];
  readonly #onlyKnownNames: boolean;

  /**
   * @param address where the exporter listens; null for all addresses
   * @param names further names of the exporter; if there are any, no other name is answered
   */
  constructor(address: string | null, names: readonly string[]) {
    this.#names = ['localhost', ...names].map(comparableName);
    this.#onlyKnownNames = names.length > 0 || (address !== null && loopback.has(address));
  }

  /** @throws Refusal (`wrong-host`) when the request is for a name that is not the exporter's */
  checkHost({ authority }: GuardedRequest): void {
    if (authority === undefined || !this.#onlyKnownNames) return;
    const host = hostOf(authority);
    if (familyOf(host) !== null || this.#names.includes(comparableName(host))) return;
    throw new Refusal(
      'wrong-host',
      `Host: "${authority}" is not a name of this exporter; ` +
        'allowed: localhost, an address, or a name of --web.allowed-host',
    );
  }

  /**
   * Checks that no page of another site sent the request.
   *
   * @param hasEffects the request does something; else a browser may open it by a link
   * @throws Refusal (`cross-site`)
   */
  checkSite(request: GuardedRequest, hasEffects: boolean): void {
    const { headers } = request;
    const site = headers['sec-fetch-site'];
    if (site === 'same-origin' || site === 'none') return;
    if (site !== undefined) {
      const isLink =
        headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
      if (hasEffects || !isLink) throw this.#refusal(`Sec-Fetch-Site: ${site.toString()}`);
      return;
    }
    // Browsers leave Sec-Fetch-Site out on plain HTTP to anything but this machine.
    const { origin, referer } = headers;
    if (origin !== undefined) {
      if (!this.#isOwn(origin, request)) throw this.#refusal(`Origin: ${origin}`);
    } else if (hasEffects && isBrowser(headers) && !this.#isOwn(referer ?? '', request))
      throw this.#refusal(referer === undefined ? 'without a Referer' : `Referer: ${referer}`);
  }

  #isOwn(url: string, { authority }: GuardedRequest): boolean {
    const from = authorityOf(url);
    if (from === null) return false;
    if (from === authority?.toLowerCase()) return true;
    const [, ...allowed] = this.#names; // another program may serve pages of localhost
    return allowed.includes(comparableName(hostOf(from)));
  }

  #refusal(evidence: string): Refusal {
    return new Refusal(
      'cross-site',
      `a browser sent this for a page of another site (${evidence}); ` +
        "allowed: the exporter's own page, its address typed in, and programs such as curl",
    );
  }
}
