import { describe, expect, it } from 'vitest';
import * as signatures from '../../../../src/core/service/conversation/protocol-signatures.js';

describe('recognizeProtocol', () => {
  it.each<[string | number[], string | null]>([
    ['SSH-2.0-x', 'SSH'],
    ['HTTP/1.1 200', 'HTTP'],
    ['* OK x', 'IMAP'],
    ['+OK', 'POP3'],
    ['220 x ESMTP', 'SMTP'],
    ['220 (vsFTPd)', 'FTP'],
    ['200 news', 'NNTP'],
    ['RFB 003.008', 'VNC'],
    [[0x15, 3, 1, 0, 2], 'TLS'],
    [[3, 0, 0, 11, 6, 0xd0], 'an ISO transport'],
    [[0x4a, 0, 0, 0, 0x0a, 0x35], 'MySQL'],
    [[0xff, 0xfb, 1], 'Telnet'],
    [[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3], 'HTTP/2'],
    [[0, 0, 6, 4, 1, 0, 0, 0, 0], null], // an acknowledgement, which no server sends first
    [[0, 0, 8, 7, 0, 0, 0, 0, 0], null], // GOAWAY
    ['hello', null],
    ['', null],
  ])('takes %j for %s', (bytes, name) => {
    const first = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes);
    expect(signatures.recognizeProtocol(first)).toBe(name);
  });
});
