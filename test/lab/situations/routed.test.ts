import {
  BLOCK_PAGE,
  CLIENT_RULES,
  DEAD_GATEWAY,
  LISTENERS,
  LONG_GREETING,
  NO_WAY_BACK,
  ROUTED,
  ROUTER_ROUTES,
  ROUTER_RULES,
} from './routed.js';
import { testSituations } from './suite.js';

testSituations({
  title: 'Of routers with the ICMP limits of Linux, portping',
  situations: ROUTED,
  lab: { router: true },
  options: ['-w', '2500ms'],
  copies: 6,
  atOnce: 1,
  async setUp(lab) {
    for (const route of ROUTER_ROUTES) await lab.ip('router', `route add ${route}`);
    await lab.nft('router', ROUTER_RULES);
    await lab.nft('client', CLIENT_RULES);
    await lab.ip('client', `route add 10.99.0.0/24 via ${DEAD_GATEWAY}`);
    await lab.ip('server', `addr add ${NO_WAY_BACK.v4}/24 dev eth0`);
    await lab.ip('server', `addr add ${NO_WAY_BACK.v6}/64 dev eth0 nodad preferred_lft 0`);
    await lab.ip('server', `rule add from ${NO_WAY_BACK.v4} blackhole`);
    await lab.ip('server', `-6 rule add from ${NO_WAY_BACK.v6} blackhole`);
    await lab.listen('router', { port: 7032, onConnection: 'banner', banner: BLOCK_PAGE });
    await lab.listen('server', { port: 7009, onConnection: 'banner', banner: LONG_GREETING });
    await lab.sysctl('server', 'net.ipv4.ip_forward', 1);
    await lab.sysctl('server', 'net.ipv6.conf.all.forwarding', 1);
    await Promise.all(
      LISTENERS.flatMap(({ role, address, ports }) =>
        ports.map((port) => lab.listen(role, { address, port })),
      ),
    );
  },
});
