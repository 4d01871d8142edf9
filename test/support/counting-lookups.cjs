// Preloaded: answers a name with how many IPv6 addresses were looked up before: 192.0.2.<count>.
const dns = require('node:dns');
const { syncBuiltinESMExports } = require('node:module');

const { lookup } = dns;
let count = 0;

dns.lookup = (host, ...rest) => {
  const callback = rest.pop();
  if (!host.includes(':')) {
    setImmediate(callback, null, [{ address: `192.0.2.${count}`, family: 4 }]);
    return;
  }
  lookup(host, ...rest, (...answer) => {
    count += 1;
    callback(...answer);
  });
};
syncBuiltinESMExports();
