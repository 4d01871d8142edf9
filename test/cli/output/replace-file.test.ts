import { describe, expect, it } from 'vitest';
import { replaceFile } from '../../../src/cli/output/replace-file.js';

/** A rename that fails with a code a number of times, and counts its calls. */
function failing(code: string, times: number) {
  const rename = () => {
    rename.calls += 1;
    if (rename.calls <= times) throw Object.assign(new Error(code), { code });
  };
  rename.calls = 0;
  return rename;
}

describe('replaceFile', () => {
  it.each(['EPERM', 'EACCES', 'EBUSY'])('tries again while a file is held (%s)', (code) => {
    const rename = failing(code, 3);
    replaceFile('new', 'old', rename);
    expect(rename.calls).toBe(4);
  });

  it('gives up when a file is held for more than a second', () => {
    const rename = failing('EBUSY', Infinity);
    const startMs = performance.now();
    expect(() => replaceFile('new', 'old', rename)).toThrow('EBUSY');
    expect(performance.now() - startMs).toBeGreaterThan(900);
    expect(rename.calls).toBe(21);
  });

  it('does not try again after another error', () => {
    const rename = failing('ENOSPC', 1);
    expect(() => replaceFile('new', 'old', rename)).toThrow('ENOSPC');
    expect(rename.calls).toBe(1);
  });
});
