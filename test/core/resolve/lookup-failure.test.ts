import { describe, expect, it } from 'vitest';
import { mayAskDns, parseHostSources } from '../../../src/core/resolve/lookup-failure.js';

describe('the sources of names', () => {
  it.each<[string, string[] | null]>([
    ['passwd: files\nhosts: files dns\n', ['files', 'dns']],
    ['hosts:\tfiles mdns4_minimal [NOTFOUND=return] dns # here', ['files', 'mdns4_minimal', 'dns']],
    ['hosts: resolve [!UNAVAIL=return] files', ['resolve', 'files']],
    ['# hosts: files', null],
    ['hosts:', []],
  ])('of %j are %j', (text, sources) => {
    expect(parseHostSources(text)).toEqual(sources);
  });
});

describe('a system', () => {
  it.each([[null], [[]], [['files', 'dns']], [['resolve', 'files']], [['files', 'sss']]])(
    'may ask DNS with the sources %j',
    (sources) => expect(mayAskDns(sources)).toBe(true),
  );

  it.each([[['files']], [['files', 'myhostname', 'mymachines']]])(
    'asks no DNS with the sources %j',
    (sources) => expect(mayAskDns(sources)).toBe(false),
  );
});
