import { describe, expect, it } from 'vitest';
import { runtimeRefusal } from '../../src/core/runtime.js';

describe('runtimeRefusal', () => {
  it.each([
    [
      'Bun',
      { node: '26.3.0', bun: '1.4.5' },
      'Bun 1.4.5 reports other failures as "connection refused"; ' +
        'use Node.js 20.19 or later, for example: npx portping',
    ],
    [
      'Deno',
      { node: '26.3.0', deno: '2.9.6' },
      'Deno 2.9.6 hides which failures arise on this machine; ' +
        'use Node.js 20.19 or later, for example: npx portping',
    ],
  ])('says why not in %s, and what to use', (_, versions, refusal) => {
    expect(runtimeRefusal(versions)).toBe(refusal);
  });

  it('refuses neither this Node nor one with components of other names', () => {
    expect(runtimeRefusal()).toBeUndefined();
    expect(runtimeRefusal({ node: '20.19.0', v8: '11', bunny: '1' })).toBeUndefined();
  });
});
