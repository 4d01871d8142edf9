import {
  CLIENT_RULES,
  NAME_RULES,
  NAMES,
  SECOND_ZONE,
  SERVER_RULES,
  SERVERS,
  ZONE,
} from './names.js';
import { testSituations } from './suite.js';

testSituations({
  title: 'Of every name and DNS server, portping',
  situations: NAMES,
  rules: NAME_RULES,
  lab: { icmpLimits: false }, // a firewall's answer to a question must arrive
  async setUp(lab) {
    const { far, ...others } = SERVERS;
    const servers = Object.values(others).filter((each) => each.startsWith('10.77.'));
    for (const each of [far, ...servers]) await lab.ip('server', `addr add ${each}/24 dev eth0`);
    await lab.ip('client', 'route add throw 10.93.0.0/24');
    await lab.nft('client', CLIENT_RULES);
    await lab.nft('server', SERVER_RULES);
    await Promise.all([
      lab.dns('client', { address: SERVERS.good, zone: ZONE }),
      lab.dns('client', { address: SERVERS.second, zone: SECOND_ZONE }),
      lab.dns('client', { address: SERVERS.silent, zone: {}, unknown: 'silent' }),
      lab.dns('client', { address: SERVERS.elsewhere, replyFrom: '127.0.0.9', zone: ZONE }),
      lab.dns('client', { address: SERVERS.servfail, zone: {}, unknown: 'SERVFAIL' }),
      lab.dns('client', { address: SERVERS.refused, zone: {}, unknown: 'REFUSED' }),
      lab.dns('client', { address: SERVERS.noTcp, zone: ZONE, tcp: false }),
      lab.dns('server', { address: SERVERS.far, zone: ZONE }),
    ]);
  },
});
