import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  mayAskDns,
  parseHostSources,
  readHostSources,
  readsNsswitch,
} from '../../../src/core/resolve/lookup-failure.js';
import { temporaryFolder } from '../../support/daemon.js';
import { itWith } from '../../support/tools.js';

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

describe('nsswitch.conf', () => {
  const MAPPED = '7f32a9528000-7f32a954e000 r--p 00000000 08:01 260643  ';

  it.each([
    '/usr/lib/x86_64-linux-gnu/libc.so.6',
    '/usr/lib64/libc-2.28.so', // before glibc 2.34
    '/usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)', // upgraded while it runs
  ])('is read by a program that uses %s', (library) => {
    expect(readsNsswitch(`${MAPPED}/usr/bin/node\n${MAPPED}${library}\n`, 'linux')).toBe(true);
  });

  it.each([
    '/lib/ld-musl-x86_64.so.1', // Alpine
    '/usr/lib/x86_64-linux-musl/libc.so', // Debian
    '/usr/lib/libc.so.6.txt',
  ])('is not read by a program that uses %s', (library) => {
    expect(readsNsswitch(`${MAPPED}/usr/bin/node\n${MAPPED}${library}\n`, 'linux')).toBe(false);
  });

  it('counts as not read on Linux if the C library is unknown', () => {
    expect(readsNsswitch(null, 'linux')).toBe(false);
  });

  it('is read on other systems', () => {
    expect(readsNsswitch(null, 'freebsd')).toBe(true);
  });

  itWith('linux', 'has no known sources of names for a program that uses musl', async () => {
    const folder = await temporaryFolder();
    const [file, musl] = [join(folder, 'nsswitch.conf'), join(folder, 'maps')];
    await writeFile(file, 'hosts: files');
    await writeFile(musl, `${MAPPED}/lib/ld-musl-x86_64.so.1\n`);
    expect(readHostSources(file)).toEqual(['files']); // this Node uses glibc
    expect(readHostSources(file, musl)).toBeNull();
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
