import { DEFAULT_TIMEOUT_MS } from '../../core/limits.js';
import {
  as,
  asHost,
  asPort,
  inMilliseconds,
  inSeconds,
  type Meaning,
  NOTHING,
  type OptionHabit,
  withValue,
} from './meaning.js';

const COUNT = /^\d+$/;
const NUMBER = /^\d+(\.\d+)?$/;
const TIME = /^\d+(\.\d+)?[a-z]*$/;
const HOST = /^[^-]/;
const PORTS = /^[a-z\d][\w.+-]*(,[\w.+-]+)*$/i;
const ADDRESS = /^(\d+\.\d+\.\d+\.\d+|[\da-f]*:[\da-f:.]+(%\w+)?)$/i;
const FILE = /^[^-]/;
const URL_OR_TARGET = /^([a-z]+:\/\/)?[\w.[\]:-]+:\d+|^[a-z]+:\/\//i;

const UNKNOWN = 'unknown option';
const NO_PORT = 'there is no option for the port';
const NO_HOST = 'there is no option for the host';
const TCP_ONLY = 'portping probes TCP only, not UDP';
const CONNECTS = 'every probe completes the handshake and sends no data';
const NO_SOURCE_PORT = 'the source port cannot be chosen';
const HELP = 'shows the help and must stand alone';
const VERSION = 'shows the version and must stand alone';

/** check_tcp has `-H`; `-w` and `-c` are thresholds there. */
const CHECK_TCP = / -H/;
/** PortQry has `-n host` and `-e port`, `-r first:last` or `-o port,port`. */
const PORTQRY = / -n [^-\d].* -[ero] | -[ero] .* -n /;
const DOCKERIZE = / -wait /;
const HAS_COMMAND = / -- \S/;

/** Lasts as long as n attempts more than one that are silent. */
const retrying = (value: string): Meaning => ({
  options: [['--wait', `${((Number(value) + 1) * DEFAULT_TIMEOUT_MS) / 1000}s`]],
});

const commonPort = (value: string): Meaning => ({
  port: value.toLowerCase() === 'winrm' ? '5985' : value.toLowerCase(),
});

type Extra = Partial<Pick<OptionHabit, 'problem' | 'beside' | 'isAmbiguous'>>;

const habit = (
  forms: string,
  value: RegExp | null,
  means: OptionHabit['means'],
  extra: Extra = {},
): OptionHabit => ({ forms: forms.split(' '), value, means, problem: UNKNOWN, ...extra });

/** Readings that need another option beside them. They come before portping's own options. */
const IN_CONTEXT: readonly OptionHabit[] = [
  habit('-? --h --usage -help', null, as('--help'), { beside: /^ \S+ $/ }),
  habit('-w', NUMBER, (value) => as('-o nagios', `--warn ${inSeconds(value)}`)(), {
    beside: CHECK_TCP,
    problem: 'is the time limit here, not a threshold',
  }),
  habit('-c', NUMBER, (value) => as('-o nagios', `--crit ${inSeconds(value)}`)(), {
    beside: CHECK_TCP,
    problem: 'is the number of probes here, not a threshold',
  }),
  habit('-t', NUMBER, withValue('-w', inSeconds), { beside: CHECK_TCP }),
  habit('-S --ssl', null, as('--service=tls'), { beside: CHECK_TCP }),
  habit('-D', COUNT, (days) => as('--service=tls', `--tls-min-days ${days}`)(), {
    beside: CHECK_TCP,
  }),
  habit('-n', HOST, asHost, { beside: PORTQRY, problem: NO_HOST }),
  habit('-p', /^tcp$/i, NOTHING, { beside: PORTQRY }),
  habit('-p', /^(udp|both)$/i, NOTHING, { beside: PORTQRY, problem: TCP_ONLY }),
  habit('-wait', URL_OR_TARGET, (target) => ({
    options: [['--wait']],
    host: target,
    runsCommand: true,
  })),
  habit('-timeout', TIME, withValue('--wait', inSeconds), { beside: DOCKERIZE }),
  habit('-t', /^\d{4,}$/, withValue('--wait', inMilliseconds), {
    beside: / (tcp:|-- )/,
    problem: 'takes no value, and probes until it is interrupted',
  }),
  habit('-t --timeout', NUMBER, withValue('--wait', inSeconds), {
    beside: HAS_COMMAND,
    problem: 'is not the time to wait',
  }),
  habit('-s --strict', null, NOTHING, { beside: HAS_COMMAND }),
  habit('-t', NUMBER, withValue('-w', inMilliseconds), {
    beside: / --?nocolou?r| -p \d+ .*-t \d{3}/,
    problem: 'takes no value, and probes until it is interrupted',
  }),
  habit('-o', /^(\/dev\/null|nul)$/i, NOTHING, { problem: 'is the output format, not a file' }),
  habit('-w', /^['"]?%\{/, NOTHING, { beside: /:\/\//, problem: 'is the time limit' }),
  habit('-s --silent', null, as('-q'), { beside: /:\/\// }),
  habit('-d', HOST, NOTHING, { beside: / -[hU]/ }),
  habit('-U', HOST, NOTHING, { beside: / -[hd]/ }),
  habit('-h', COUNT, as('--histogram'), { beside: / -[nc] ?\d/, problem: HELP }),
  habit('-V', null, as('--version'), { beside: /^ \S+ $/ }),
  habit('-h --help --version', null, (_, form) => as(form)(), { beside: /^ \S+ $/ }),
];

/** `-t 3` is the time limit of one tool and the whole wait of another. */
const TIMED: readonly OptionHabit[] = [undefined, / -[hp]/i].flatMap((beside) =>
  ['-w', '--wait'].map((option, index) =>
    habit('-t', NUMBER, withValue(option, inSeconds), {
      problem: 'takes no value, and probes until it is interrupted',
      ...(beside === undefined ? {} : { beside }),
      ...(index === 0 ? { isAmbiguous: true as const } : {}),
    }),
  ),
);

const TARGETS: readonly OptionHabit[] = [
  habit('-h --help', HOST, asHost, { problem: HELP }),
  habit('-h --help', null, NOTHING, { problem: HELP }),
  habit('--version', null, NOTHING, { problem: VERSION }),
  habit('-H --host --hostname --server -ComputerName -CN -TargetName -RemoteHost', HOST, asHost, {
    problem: NO_HOST,
  }),
  habit('-connect', URL_OR_TARGET, asHost, { problem: NO_HOST }),
  habit('-p -P --port --ports -Port -RemotePort -TcpPort', PORTS, asPort, { problem: NO_PORT }),
  habit('-p', /^T:[\d,-]+$/, (value) => ({ port: value.slice(2) }), { problem: NO_PORT }),
  habit('-p', /^-$/, () => ({ port: '1-65535' }), { problem: NO_PORT }),
  habit('-p-', null, () => ({ port: '1-65535' }), { problem: NO_PORT }),
  habit('-e -8 --scan', PORTS, asPort, { problem: NO_PORT }),
  habit('-r', /^\d+:\d+$/, (value) => ({ port: value.replace(':', '-') }), { problem: NO_PORT }),
  habit('-o', /^\d+(,\d+)*$/, asPort, { problem: NO_PORT }),
  habit('-CommonTCPPort', /^(http|rdp|smb|winrm)$/i, commonPort, { problem: NO_PORT }),
  habit('-sp -g --source-port', COUNT, NOTHING, { problem: NO_SOURCE_PORT }),
  habit('-p -P --port --ports', null, NOTHING, { problem: NO_PORT }),
  habit('-H --host --hostname', null, NOTHING, { problem: NO_HOST }),
];

const REPETITION: readonly OptionHabit[] = [
  habit('-n -x -Count --tries --attempts --times --repeat', COUNT, withValue('-c')),
  habit('--retry --retries', COUNT, retrying, {
    problem: 'a wait is limited by time, not by the number of retries',
  }),
  habit('--retry --retries', null, as('--wait'), {
    problem: 'a wait is limited by time, not by the number of retries',
  }),
  habit('--max-retries', COUNT, NOTHING),
  habit('--retry-interval --retry-delay -wait-retry-interval -Delay --delay', TIME, (value) =>
    withValue('-i', inSeconds)(value),
  ),
  habit('-i', /^u\d+$/, (value) => as(`-i ${Number(value.slice(1)) / 1000}ms`)(), {
    problem: 'takes a duration with its unit',
  }),
  habit('--fast', null, as('-i 100ms')),
  habit('--fast', null, as('-t', '-i 100ms')),
  habit('--faster', null, as('-i 1ms')),
  habit('--faster', null, as('-t', '-i 1ms')),
  habit('--watch --loop --forever --infinite -Continuous -Repeat', null, as('-t')),
];

const LIMITS: readonly OptionHabit[] = [
  habit(
    '-W -G -m --connect-timeout --max-time --host-timeout --deadline -TimeoutSeconds',
    TIME,
    withValue('-w', inSeconds),
  ),
  habit('--tcpTimeout', NUMBER, withValue('-w', inMilliseconds)),
  habit('-o', /^ConnectTimeout=\d+$/i, (value) => as(`-w ${value.split('=')[1]}s`)(), {
    problem: 'is the output format',
  }),
  habit(
    '--wait -w --timeout',
    /^(0+(\.0+)?[a-z]*|-1|inf|infinite|infinity|forever)$/i,
    (_, form) => ({
      options: [[form, '24d']],
    }),
    { problem: 'there is no wait without end; the longest is 24.8 days' },
  ),
];

const OUTPUT: readonly OptionHabit[] = [
  habit('-j -J --json', null, as('-o json')),
  ...['csv', 'junit', 'tap', 'github', 'nagios', 'prometheus'].map((format) =>
    habit(`--${format}`, null, as(`-o ${format}`)),
  ),
  habit('--csv', FILE, (file) => ({
    options: [
      ['-o', 'csv'],
      ['--output-file', file],
    ],
  })),
  habit('--format --output-format', HOST, withValue('-o')),
  habit(
    '-o --output',
    /\.(json|csv|tap|xml|txt)$/i,
    (file) => {
      const extension = /\w+$/.exec(file)?.[0].toLowerCase() ?? '';
      const format = { xml: 'junit', txt: 'text' }[extension] ?? extension;
      return {
        options: [
          ['-o', format],
          ['--output-file', file],
        ],
      };
    },
    { problem: 'takes a format, not a file' },
  ),
  habit('-oN -l --log --out', /[./\\]/, withValue('--output-file')),
  habit('-l', /^[a-z_]\w*$/i, NOTHING, { problem: 'portping logs in nowhere' }),
  habit('-InformationLevel', /^quiet$/i, as('-q')),
  habit('-InformationLevel', /^detailed$/i, as('-v')),
  habit('-V -Detailed --reason --debug', null, as('-v')),
  habit('-s', ADDRESS, withValue('--source'), { isAmbiguous: true }),
  habit('-s -Q --silent --no-output', null, as('-q')),
  habit('-q', COUNT, NOTHING, { problem: 'takes no value' }),
  habit('-d -D --timestamp --date', null, as('--timestamps')),
  habit('--color --colour', /^(always|auto|yes)$/, NOTHING, {
    problem: 'colours are automatic, and FORCE_COLOR=1 forces them',
  }),
  habit('--color --colour', /^(never|no|none)$/, as('--no-color')),
  habit('--color --colour', null, NOTHING, {
    problem: 'colours are automatic, and FORCE_COLOR=1 forces them',
  }),
  habit('--nocolor --nocolour --no-colour --monochrome', null, as('--no-color')),
];

const NETWORK: readonly OptionHabit[] = [
  habit('-z -S --syn -sT -sS --tcp --tcp-connect -T', null, NOTHING, { problem: CONNECTS }),
  habit('-Pn -PN -P0', null, NOTHING, { problem: 'no ping is sent before the probe' }),
  habit('-T0 -T1 -T2 -T3 -T4 -T5', null, NOTHING),
  habit('-u --udp -sU -2', null, NOTHING, { problem: TCP_ONLY }),
  habit('-n --numeric', null, NOTHING, { problem: 'an address is never looked up' }),
  habit('-S -I -B --bind --source-ip --local-address --interface', ADDRESS, withValue('--source')),
  habit('--dns-server --dns-servers --nameserver --resolver', HOST, withValue('--dns')),
  habit('--ip4 --inet --inet4', null, as('-4')),
  habit('--ip6 --inet6', null, as('-6')),
  habit('-sV', null, as('--service')),
  habit('--ssl --tls', null, as('--service=tls')),
  habit('-k', null, as('--service=https', '--insecure'), { beside: /https:/ }),
  habit('-k', null, as('--service=tls', '--insecure')),
  habit('-I --head', null, as('--service=https'), { beside: /https:/ }),
  habit('-I --head', null, as('--service=http')),
  habit('-L --location -f --fail -g --globoff', null, NOTHING, { beside: /:\/\// }),
  habit('-servername --servername', HOST, (name) => as('--service=tls', `--sni ${name}`)()),
];

/** Options of other tools, in the order in which they are tried. */
export const OPTION_HABITS: readonly OptionHabit[] = [
  ...IN_CONTEXT,
  ...TIMED,
  ...TARGETS,
  ...REPETITION,
  ...LIMITS,
  ...OUTPUT,
  ...NETWORK,
];
