import { type FormHabit, NOTHING } from './meaning.js';

const NAME = String.raw`[a-z\d_][\w.-]*`;
const HOST = String.raw`(${NAME}|\[[\da-f:.]+\])`;

const TOOLS =
  'nc ncat netcat telnet ping tcping psping paping nmap nping hping3 curl wait-on wait-for-it ' +
  'wait-for-it.sh dockerize check_tcp portqry portqry.exe tnc test-netconnection portping';

const form = (pattern: string): RegExp => new RegExp(`^${pattern}$`, 'i');

/** Words of other tools in the place of a host or a port, in the order in which they are tried. */
export const FORM_HABITS: readonly FormHabit[] = [
  {
    form: form(String.raw`/dev/tcp/${HOST}/(\d+)`),
    argument: 'host',
    means: ([, host = '', port = '']) => ({ words: [host, port] }),
    problem: 'is a path of bash',
    isLast: true,
  },
  {
    form: form(String.raw`(?:[^@\s/:]+)@${HOST}:(\d+)`),
    argument: 'host',
    means: ([, host = '', port = '']) => ({ words: [`${host}:${port}`] }),
    problem: 'has a user name',
  },
  {
    form: form(String.raw`(?:[^@\s/:]+)@${HOST}(?::[^\d].*)?`),
    argument: 'host',
    means: ([, host = '']) => ({ words: [host], defaultPort: '22' }),
    problem: 'has a user name',
  },
  {
    // A block of addresses looks the same.
    form: /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/,
    argument: 'host',
    means: ([, host = '', port = '']) => ({ words: [host, port] }),
    problem: 'has its port after a slash',
    isLast: true,
    isAmbiguous: true,
  },
  {
    form: /^\d+\.\d+\.\d+\.\d+\/\d+$/,
    argument: 'host',
    means: ([block = '']) => ({ words: [block, '443'] }),
    problem: 'is a block of addresses without a port',
    isLast: true,
  },
  {
    form: form(String.raw`${HOST}/(\d+)(?:/tcp)?`),
    argument: 'host',
    means: ([, host = '', port = '']) => ({ words: [host, port] }),
    problem: 'has its port after a slash',
    isLast: true,
  },
  {
    form: form(String.raw`(\d[\d,-]*|[a-z][\w-]*)/tcp|tcp/(\d[\d,-]*)`),
    argument: 'port',
    means: ([, first, second]) => ({ words: [first ?? second ?? ''] }),
    problem: 'is more than a port',
  },
  {
    form: form(String.raw`(\d[\d,-]*|[a-z][\w-]*)/udp|udp/(\d[\d,-]*)`),
    argument: 'port',
    means: ([, first, second]) => ({ words: [first ?? second ?? ''] }),
    problem: 'is a port of UDP, and portping probes TCP only',
  },
  {
    form: form(String.raw`T:(\d[\d,-]*)`),
    argument: 'port',
    means: ([, port = '']) => ({ words: [port] }),
    problem: 'is more than a port',
  },
  {
    form: /^(\d+)(?::|\.\.|[‐-―−~])(\d+)$/,
    argument: 'port',
    means: ([, first = '', last = '']) => ({ words: [`${first}-${last}`] }),
    problem: 'is a range without a hyphen',
  },
  {
    form: /^\d+(?:[;|+]\d+)+$/,
    argument: 'port',
    means: ([list = '']) => ({ words: [list.replace(/[;|+]/g, ',')] }),
    problem: 'is a list without commas',
  },
  {
    form: form(String.raw`jdbc:oracle:thin:@(?://)?${HOST}:(\d+).*`),
    argument: 'host',
    means: ([, host = '', port = '']) => ({ words: [`${host}:${port}`] }),
    problem: 'is a URL of JDBC',
  },
  {
    form: form(String.raw`jdbc:(?:[a-z\d]+:)*?[a-z\d]+://(?:[^@/]*@)?${HOST}:(\d+)(?:[/;?].*)?`),
    argument: 'host',
    means: ([, host = '', port = '']) => ({ words: [`${host}:${port}`] }),
    problem: 'is a URL of JDBC',
  },
  {
    form: form(String.raw`jdbc:(?:[a-z\d]+:)*?([a-z\d]+)://(?:[^@/]*@)?${HOST}(?:[/;?].*)?`),
    argument: 'host',
    means: ([, scheme = '', host = '']) => ({ words: [`${scheme}://${host}`] }),
    problem: 'is a URL of JDBC',
  },
  {
    form: form(String.raw`(?:tcp[46]?|ssl|tls|https?|telnet|mysql|postgres|redis):${HOST}:(\d+)`),
    argument: 'host',
    means: ([, host = '', port = '']) => ({ words: [`${host}:${port}`] }),
    problem: 'is a URL without //',
  },
  {
    form: /^:(\d+)$/,
    argument: 'host',
    means: ([, port = '']) => ({ words: [`localhost:${port}`] }),
    problem: 'has no host before the port',
  },
  {
    form: /^:(\d+)$/,
    argument: 'port',
    means: ([, port = '']) => ({ words: [port] }),
    problem: 'has a colon before the port',
  },
  {
    form: form(String.raw`${HOST}:`),
    argument: 'host',
    means: ([, host = '']) => ({ words: [host] }),
    problem: 'has a colon after the host',
  },
  {
    form: form(String.raw`\*:(\d+)`),
    argument: 'host',
    means: ([, port = '']) => ({ words: [`localhost:${port}`] }),
    problem: 'has * in the place of the host',
  },
  {
    // A host in letters or an address: `25,143` is a list of ports.
    form: form(String.raw`(?=.*[a-z.:])${HOST}[,;#|](\d+)`),
    argument: 'host',
    means: ([, host = '', port = '']) => ({ words: [host, port] }),
    problem: 'has no colon before the port',
    isLast: true,
  },
  {
    form: form(String.raw`\[(${NAME})\](:\d+)?`),
    argument: 'host',
    means: ([, host = '', port = '']) => ({ words: [`${host}${port}`] }),
    problem: 'has brackets, which are for IPv6 only',
  },
  {
    form: form(String.raw`(${HOST}:\d+)/.*`),
    argument: 'host',
    means: ([, target = '']) => ({ words: [target] }),
    problem: 'has a path',
  },
  {
    form: /^host(?:name|addr)?=(.+)$/i,
    argument: 'host',
    means: ([, host = '']) => ({ host }),
    problem: 'is more than a host',
  },
  {
    form: /^port=(\d+)$/i,
    argument: 'port',
    means: ([, port = '']) => ({ port }),
    problem: 'is more than a port',
  },
  {
    form: form(TOOLS.replaceAll('.', String.raw`\.`).replaceAll(' ', '|')),
    argument: 'arguments',
    means: NOTHING,
    problem: 'is the name of a command',
  },
];
