import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  parseListeners,
  readListeners,
} from '../../../../src/core/diagnosis/observations/listeners.js';
import { itWith } from '../../../support/tools.js';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid';
const NONE = '00000000000000000000000000000000:0000';
const REST = '00:00000000 00000000     0        0 5435588 1 000000009cc4239a 100 0 0 10 0';

describe('the sockets that listen at a port', () => {
  it('are read with their addresses and the connections that wait', () => {
    const tcp = `${HEADER}
   0: 00000000:1B5D 00000000:0000 0A 00000000:00000003 ${REST}
   1: 0100007F:1B5D 00000000:0000 0A 00000000:00000000 ${REST}
`;
    expect(parseListeners(tcp, 7005)).toEqual([
      { address: '0.0.0.0', waiting: 3 },
      { address: '127.0.0.1', waiting: 0 },
    ]);
    const tcp6 = `${HEADER}
   0: 00000000000000000000000000000000:1B5D ${NONE} 0A 00000000:00000000 ${REST}
   1: 000077FD000000000000000001000000:1B5D ${NONE} 0A 00000000:00000000 ${REST}
   2: 0000000000000000FFFF00000100007F:1B5D ${NONE} 0A 00000000:00000000 ${REST}
`;
    expect(parseListeners(tcp6, 7005).map(({ address }) => address)).toEqual([
      '::',
      'fd77::1',
      '127.0.0.1',
    ]);
  });

  it('are not connections, and not the listeners of other ports', () => {
    const tcp = `${HEADER}
   0: 0100007F:1B5D 0100007F:9999 01 00000000:00000000 ${REST}
   1: 0100007F:1B5E 00000000:0000 0A 00000000:00000000 ${REST}
`;
    expect(parseListeners(tcp, 7005)).toEqual([]);
  });

  itWith('linux', 'are those of this machine', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    expect(readListeners(port)).toEqual([{ address: '127.0.0.1', waiting: 0 }]);
  });
});
