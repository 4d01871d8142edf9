import { startUdpNoise } from '../../support/udp-noise.js';
import {
  CLIENT_RULES,
  DROPPED_HOST,
  LISTENERS,
  MACHINE,
  RESET_HOST,
  ROUTES,
  SERVER_RULES,
  UNLINKED,
} from './machine.js';
import { testSituations } from './suite.js';

testSituations({
  title: 'Of this machine and a real host, beside a busy statsd client, portping',
  situations: MACHINE,
  copies: 6,
  atOnce: 1,
  async setUp(lab) {
    for (const { v4, v6 } of [RESET_HOST, DROPPED_HOST]) {
      await lab.ip('server', `addr add ${v4}/24 dev eth0`);
      await lab.ip('server', `addr add ${v6}/64 dev eth0 nodad`);
    }
    await lab.ip('client', 'link add unlinked type veth peer name peer');
    await lab.ip('client', 'link set unlinked up');
    await lab.ip('client', `addr add ${UNLINKED.v4}/24 dev unlinked`);
    await lab.ip('client', `addr add ${UNLINKED.v6}/64 dev unlinked nodad`);
    for (const route of ROUTES) await lab.ip('client', `route add ${route}`);
    await lab.nft('client', CLIENT_RULES);
    await lab.nft('server', SERVER_RULES);
    await Promise.all([
      ...LISTENERS.flatMap(({ role, address, ports }) =>
        ports.map((port) => lab.listen(role, { address, port })),
      ),
      startUdpNoise(lab, 'client', { address: '127.0.0.1', port: 8125, perSecond: 40 }),
    ]);
  },
});
