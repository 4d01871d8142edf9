import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMON_OPTIONS, isUnrestricted } from '../../../src/cli/options/common-options.js';
import { parseCommonOptions } from '../../../src/cli/parsing/common-parser.js';
import { parseOptions } from '../../../src/cli/parsing/option-parser.js';
import { OPTION_RULES } from '../../../src/cli/options/option-rules.js';
import {
  type OptionName,
  OPTIONS,
  type OptionValues,
} from '../../../src/cli/options/option-table.js';
import { enforceRules } from '../../../src/cli/options/rule.js';
import { TARGET_RULES } from '../../../src/cli/options/target-rules.js';
import { parsePlainTargets } from '../../../src/core/target/plain-targets.js';
import { parseTargets } from '../../../src/core/target/target-list.js';
import { type Format, FORMAT_NAMES } from '../../../src/report/formats/registry.js';

const WORDS = [
  ...Object.values(OPTIONS).flatMap(({ flags }) => flags.match(/(?<!\S)--?[\w-]+/g) ?? []),
  ...['-w2s', '-qv', '-w=2s', '--timeout=2s', '-ojson', '--output=json', '--no-output', '-h'],
  ...['-4w2s', '-4qw', '--timeout=', '--timeout=-1', '--ipv4', '--quiet=1', '--no-quiet', '-w-1'],
  ...['--wait=3s', '-5', '-p', '-', '', '2s', 'json', 'db', '::1', '5432', 'smtp', '--tim'],
];

describe('the parser of common options', () => {
  it('reads a command line as the parser of all options does, or leaves it to that', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORDS), { maxLength: 5 }), (words) => {
        const common = parseCommonOptions(words, null);
        if (common === null) return;
        read += 1;
        expect(common).toEqual(parseOptions(words, null));
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(50);
  });

  it.each(Object.keys(COMMON_OPTIONS))('reads %s', (name) => {
    const { flags, parse } = COMMON_OPTIONS[name as keyof typeof COMMON_OPTIONS];
    const [flag = ''] = /(?<!\S)--?[\w-]+/.exec(flags) ?? [];
    const words = [flag, ...(parse ? ['json'] : []), 'db', '5432'];
    expect(parseCommonOptions(words, null)?.words).toEqual(['db', '5432']);
  });

  it.each(['--count', '--wait', '--help', '--version', '-p'])('leaves %s to the other', (word) => {
    expect(parseCommonOptions([word, 'db', '5432'], null)).toBeNull();
  });
});

describe('the options that no rule restricts', () => {
  const names = Object.keys(OPTIONS) as OptionName[];
  const values = { timeout: 1, expect: 'open', color: true, companions: true } as const;

  it('are refused by no rule, with any number of targets and any format', () => {
    let checked = 0;
    const cases = fc.record({
      given: fc.subarray(names, { maxLength: 4 }),
      output: fc.constantFrom<Format>(...FORMAT_NAMES),
      words: fc.constantFrom(['db', '1'], ['::1', '1'], ['10.0.0.0/16', '1-9'], ['a:1', 'b:2']),
    });
    const everySubset = fc.sample(cases, 20_000);
    for (const { given, output, words } of everySubset) {
      const set = new Set(given);
      const format = set.has('output') ? output : 'text';
      if (!isUnrestricted(set, format)) continue;
      checked += 1;
      const options = {
        ...values,
        ...Object.fromEntries(given.map((name) => [name, true])),
        output: format,
      } as unknown as OptionValues;
      const line = { options, names: set, words, command: null };
      enforceRules(OPTION_RULES, { ...line, block: null });
      enforceRules(TARGET_RULES, { ...line, block: parseTargets(words) });
    }
    expect(checked).toBeGreaterThan(500);
  });

  it.each([
    [['quiet', 'verbose'], 'text'],
    [['ipv4'], 'text'],
    [['interval'], 'text'],
    [['output'], 'nagios'],
    [['output', 'verbose'], 'csv'],
  ] as const)('do not include %j with %s', (given, format) => {
    expect(isUnrestricted(new Set(given), format)).toBe(false);
  });
});

describe('the plain forms of targets', () => {
  const outcome = (read: () => unknown): unknown => {
    try {
      return read();
    } catch (error) {
      return String(error);
    }
  };
  const listOf = (words: readonly string[], parse: typeof parsePlainTargets): unknown =>
    outcome(() => {
      const block = parse(words);
      return (
        block && {
          size: block.size,
          literal: block.literal,
          ports: [...block.ports()],
          targets: [...block.targets()],
        }
      );
    });

  it('are read as any other form is, with the same errors', () => {
    const hosts = ['db', 'DB.', '127.0.0.1', '127.1', '::1', 'fe80::1', '[::1]', '10.0.0.0/30', ''];
    const more = ['a:1', 'http://db', 'udp:53', 'x'.repeat(64), 'a..b', '0x7f000001', 'münchen'];
    const digits = ['1', '25', '443', '8080', '65535', '080', '0', '65536', '999999'];
    const ports = [...digits, '1-2', '1,2', 'smtp', '', '-1'];
    let plain = 0;
    for (const host of [...hosts, ...more])
      for (const words of [
        ...ports.flatMap((port) => [
          [host, port],
          [`${host}:${port}`],
          ['[::1]:80', `${host}:${port}`],
          [`${host}:${port}`, 'db'],
          ['0x7f.1:1', `${host}:${port}`],
        ]),
        [host],
        [host, '1', '2'],
      ]) {
        const found = listOf(words, parsePlainTargets);
        if (found === null) continue;
        plain += 1;
        expect(found, words.join(' ')).toEqual(listOf(words, parseTargets));
      }
    expect(plain).toBeGreaterThan(200);
  });

  it.each([
    ['db:1', 'db'],
    ['db:1', '1'],
    ['db:1-2'],
    ['10.0.0.0/30', '1'],
    ['db', '1-2'],
    ['db', 'smtp'],
    ['http://db', '1'],
    [],
  ])('are not %j %j', (...words) => {
    expect(parsePlainTargets(words.filter((word) => word !== undefined))).toBeNull();
  });
});
