import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../src/core/diagnosis/diagnose.js';
import { runAlone } from '../../support/listeners.js';

describe('misuse of a diagnosis', () => {
  it.each([
    ['the port', { host: 'localhost', port: 99_999 }, {}, RangeError],
    ['the timeout', { host: 'localhost', port: 9 }, { timeoutMs: 0 }, RangeError],
    ['the DNS server', { host: 'localhost', port: 9 }, { dnsServer: 'nonsense' }, TypeError],
    ['the address', { host: 'localhost', port: 9 }, { extraAddress: 'nonsense' }, TypeError],
  ] as const)('rejects for %s', async (_, target, options, kind) => {
    await expect(diagnose(target, options)).rejects.toThrow(kind);
  });

  it('reaches whoever waits for it, and nobody else', async () => {
    const { stdout, exitCode } = await runAlone(`
      import { diagnose } from './core/diagnosis/diagnose.js';
      for (const options of [{ timeoutMs: 0 }, { dnsServer: 'nonsense' }, { onProgress() { throw new Error('mine'); } }]) {
        await diagnose({ host: 'localhost', port: 9 }, options).catch((error) => console.log(error.name));
      }
    `);
    expect([stdout, exitCode]).toEqual(['RangeError\nTypeError\nError\n', 0]);
  });
});
