import { once } from 'node:events';
import { join } from 'node:path';
import { createHmac, randomBytes } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { Refusal } from '../access/refusal.js';

/** Passwords that may wait for their check. Each takes a thread about 70 ms at the usual cost. */
const MOST_WAITING = 32;

/** Compares a password with a hash of bcrypt. */
type ComparePassword = (password: string, hash: string) => Promise<boolean>;

/** A thread that compares passwords, started for the first one. */
function passwordThread(): ComparePassword {
  let worker: Worker | undefined;
  return async (password, hash) => {
    if (worker === undefined) {
      const { Worker } = await import('node:worker_threads');
      worker = new Worker(join(import.meta.dirname, 'password-worker.cjs'));
      worker.once('exit', () => (worker = undefined));
      worker.unref();
    }
    worker.postMessage({ password, hash });
    const [isRight] = (await once(worker, 'message')) as [boolean];
    return isRight;
  };
}

/** User and password of the header `Authorization: Basic …` (RFC 7617); null if it is another. */
export function parseBasic(header: string | undefined): readonly [string, string] | null {
  const [, encoded] = /^Basic +([A-Za-z\d+/]+={0,2}) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : [text.slice(0, colon), text.slice(colon + 1)];
}

/**
 * Checks the users of the web configuration. One password is compared at a time; the right ones are
 * remembered (as a keyed hash), so that a scraper waits only once.
 */
export class PasswordCheck {
  readonly #compare: ComparePassword;
  readonly #key = randomBytes(32);
  /** Of each user's hash the password that was right. */
  readonly #right = new Map<string, string>();
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(compare: ComparePassword = passwordThread()) {
    this.#compare = compare;
  }

  /**
   * Checks that a request comes from a user.
   *
   * @param users the hash of each; with none, everyone may ask
   * @param signal aborts when the client is gone: then nothing is compared
   * @throws Refusal (`unauthorized`, or `busy` when too many passwords wait)
   */
  async check(
    users: ReadonlyMap<string, string>,
    header: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const [anyHash] = users.values();
    if (anyHash === undefined) return;
    const [name, password] = parseBasic(header) ?? [null, ''];
    if (name === null) throw this.#refusal('a name and a password are needed');
    // A name that is unknown takes as long.
    const hash = users.get(name) ?? anyHash;
    const isRight = await this.#isRight(password, hash, signal);
    if (!isRight || !users.has(name)) throw this.#refusal('the name or the password is wrong');
  }

  async #isRight(password: string, hash: string, signal: AbortSignal): Promise<boolean> {
    const digest = createHmac('sha256', this.#key).update(password).digest('base64');
    if (this.#right.get(hash) === digest) return true;
    if (this.#waiting >= MOST_WAITING)
      throw new Refusal('busy', `${MOST_WAITING} passwords wait for their check; retry later`);
    this.#waiting += 1;
    const compared = this.#last.then(() => !signal.aborted && this.#compare(password, hash));
    this.#last = compared.catch(() => {});
    try {
      const isRight = await compared;
      if (isRight) this.#right.set(hash, digest);
      return isRight;
    } finally {
      this.#waiting -= 1;
    }
  }

  #refusal(problem: string): Refusal {
    return new Refusal('unauthorized', `${problem}; allowed: a user of basic_auth_users`, {
      'WWW-Authenticate': 'Basic realm="portping-exporter", charset="UTF-8"',
    });
  }
}
