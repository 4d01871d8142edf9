import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../src/core/diagnosis/diagnose.js';
import { UsageError } from '../../../src/core/usage-error.js';
import { runAlone } from '../../support/listeners.js';

describe('misuse of a diagnosis', () => {
  it.each([
    ['the port', { host: 'localhost', port: 99_999 }, {}, UsageError],
    ['the timeout', { host: 'localhost', port: 9 }, { timeoutMs: 0 }, UsageError],
    ['the DNS server', { host: 'localhost', port: 9 }, { dnsServer: 'nonsense' }, TypeError],
    ['the address', { host: 'localhost', port: 9 }, { extraAddress: 'nonsense' }, UsageError],
  ] as const)('rejects for %s', async (_, target, options, kind) => {
    await expect(diagnose(target, options)).rejects.toThrow(kind);
  });

  it('rejects the returned promise, and leaves no other rejection unhandled', async () => {
    const { stdout, exitCode } = await runAlone(`
      import { diagnose } from './core/diagnosis/diagnose.js';
      const onProgress = () => { throw new Error('mine'); };
      for (const options of [{ timeoutMs: 0 }, { dnsServer: 'nonsense' }, { onProgress }]) {
        const diagnosing = diagnose({ host: 'localhost', port: 9 }, options);
        await diagnosing.catch((error) => console.log(error.name));
      }
    `);
    expect([stdout, exitCode]).toEqual(['UsageError\nTypeError\nError\n', 0]);
  });
});
