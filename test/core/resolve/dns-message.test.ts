import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeQuestion, parseReply } from '../../../src/core/resolve/dns-message.js';

const QUESTION = { id: 4711, host: 'Mail.example.test', family: 4 } as const;

/** A reply, as another program encodes it. */
const reply = (
  answers: Answer[],
  { flags = 0, id = 4711, name = 'mail.example.test', authorities = [] as Answer[] } = {},
) =>
  encode({
    type: 'response',
    id,
    flags: flags | RECURSION_DESIRED,
    questions: [{ type: 'A', name }],
    answers,
    authorities,
  });
const record = (type: 'A' | 'AAAA' | 'CNAME', name: string, data: string): Answer => ({
  type,
  name,
  ttl: 1,
  data,
});

const NS: Answer = { type: 'NS', name: 'example.test', data: 'ns.example.test' };
const SOA: Answer = {
  type: 'SOA',
  name: 'example.test',
  data: { mname: 'ns.example.test', rname: 'admin.example.test' },
};

describe('a question to DNS', () => {
  it.each([
    [4, 'A'],
    [6, 'AAAA'],
  ] as const)('for IPv%i is what another program understands', (family, type) => {
    const encoded = encodeQuestion({ id: 7, host: 'mail.example.test.', family });
    expect(decode(encoded ?? Buffer.alloc(0))).toMatchObject({
      id: 7,
      type: 'query',
      flags: RECURSION_DESIRED,
      questions: [{ type, name: 'mail.example.test', class: 'IN' }],
    });
  });

  it.each(['a..b', '', `${'a'.repeat(64)}.test`, Array(100).fill('abc').join('.')])(
    'does not exist for what is no name: %s',
    (host) => {
      expect(encodeQuestion({ id: 7, host, family: 4 })).toBeNull();
    },
  );
});

describe('a reply of DNS', () => {
  it('has the addresses of the name, through its aliases, and no others', () => {
    const answers = [
      record('CNAME', 'mail.example.test', 'a.example.test'),
      record('CNAME', 'a.example.test', 'B.example.test'),
      record('A', 'b.example.test', '192.0.2.1'),
      record('A', 'unasked.example.test', '192.0.2.9'),
      record('A', 'b.example.test', '192.0.2.2'),
    ];
    expect(parseReply(reply(answers), QUESTION)).toEqual({
      rcode: 0,
      isTruncated: false,
      addresses: ['192.0.2.1', '192.0.2.2'],
      aliases: ['a.example.test', 'b.example.test'],
      isReferral: false,
    });
  });

  it('ends a loop of aliases with the name that comes again', () => {
    const answers = [
      record('CNAME', 'mail.example.test', 'a.example.test'),
      record('CNAME', 'a.example.test', 'mail.example.test'),
    ];
    expect(parseReply(reply(answers), QUESTION)).toMatchObject({
      addresses: [],
      aliases: ['a.example.test', 'mail.example.test'],
    });
  });

  it.each([
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8:0:0:1:0:0:0', '2001:db8:0:0:1::'],
    ['::', '::'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ])('has IPv6 addresses in their usual form: %s', (data, address) => {
    const question = { ...QUESTION, family: 6 } as const;
    const message = encode({
      type: 'response',
      id: 4711,
      questions: [{ type: 'AAAA', name: 'mail.example.test' }],
      answers: [record('AAAA', 'mail.example.test', data)],
    });
    expect(parseReply(message, question)?.addresses).toEqual([address]);
  });

  type Form = [what: string, flags: number, authorities: Answer[], alias: 'alias' | null];
  const statesIt = (...[, flags, authorities, alias]: Form) => {
    const answers = alias ? [record('CNAME', 'mail.example.test', 'b.other.test')] : [];
    const address = record('A', alias ? 'b.other.test' : 'mail.example.test', '192.0.2.1');
    const others = [
      reply([...answers, address], { flags, authorities }),
      reply(answers, { flags: flags | 3, authorities }),
    ].map((message) => parseReply(message, QUESTION)?.isReferral);
    expect(others).toEqual([false, false]);
    return parseReply(reply(answers, { flags, authorities }), QUESTION)?.isReferral === false;
  };

  it.each<Form>([
    ['NS and no recursion', 0, [NS], null],
    ['nothing and no recursion', 0, [], null],
    ['NS and no SOA', RECURSION_AVAILABLE, [NS], null],
    ["an alias of the server's own zone", AUTHORITATIVE_ANSWER, [], 'alias'],
  ])('does not say that there is no address with %s', (...form) => {
    expect(statesIt(...form)).toBe(false);
  });

  it.each<Form>([
    ['SOA and recursion', RECURSION_AVAILABLE, [SOA], null],
    ['SOA and NS', RECURSION_AVAILABLE, [SOA, NS], null],
    ['recursion alone (type 3 of RFC 2308)', RECURSION_AVAILABLE, [], null],
    ["the zone's own SOA and no recursion", AUTHORITATIVE_ANSWER, [SOA], null],
    ['authority alone', AUTHORITATIVE_ANSWER, [], null],
    ['an alias and recursion', RECURSION_AVAILABLE, [], 'alias'],
    ['an alias and the SOA of its target', AUTHORITATIVE_ANSWER, [SOA], 'alias'],
  ])('says that there is no address with %s', (...form) => {
    expect(statesIt(...form)).toBe(true);
  });

  it('says that it is truncated, and what its code is', () => {
    const truncated = reply([], { flags: TRUNCATED_RESPONSE });
    expect(parseReply(truncated, QUESTION)).toMatchObject({ isTruncated: true, rcode: 0 });
    expect(parseReply(reply([], { flags: 3 }), QUESTION)).toMatchObject({ rcode: 3 });
  });

  it.each([
    ['another number', reply([], { id: 4712 })],
    ['another name', reply([], { name: 'other.example.test' })],
    ['a question instead', encodeQuestion(QUESTION) ?? Buffer.alloc(0)],
    ['too few bytes', Buffer.alloc(5)],
  ])('is none with %s', (_, message) => {
    expect(parseReply(message, QUESTION)).toBeNull();
  });

  it('cannot make the parser loop or read behind its end', () => {
    const whole = reply([record('A', 'mail.example.test', '192.0.2.1')]);
    const pointingToItself = Buffer.concat([
      whole.subarray(0, 12),
      Buffer.of(0xc0, 12, 0, 1, 0, 1),
    ]);
    expect(() => parseReply(pointingToItself, QUESTION)).toThrow(RangeError);
    expect(() => parseReply(whole.subarray(0, -2), QUESTION)).toThrow(RangeError);
    const tooShort = Buffer.from(whole.subarray(0, -1));
    tooShort[tooShort.length - 4] = 3; // the low byte of the length of the address
    expect(() => parseReply(tooShort, QUESTION)).toThrow(RangeError);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), {
          maxLength: 6,
        }),
        (changes) => {
          const message = Buffer.from(whole);
          for (const [index, byte] of changes) message[index] = byte;
          try {
            const parsed = parseReply(message, QUESTION);
            expect(parsed === null || Array.isArray(parsed.addresses)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        },
      ),
    );
  });
});
