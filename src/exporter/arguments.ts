import { Command, CommanderError, Option } from 'commander';
import { checkSourceFamily } from '../core/target/address-parameters.js';
import { UsageError } from '../core/usage-error.js';
import type { ManualPage } from '../report/formats/manual-page.js';
import { AllowList } from './access/allow-list.js';
import {
  type ListenAddress,
  type RawOptions,
  VALUE_OPTIONS,
  type ValueOption,
} from './option-table.js';

import type { MetricNames } from './pages/page.js';

declare const PORTPING_VERSION: string;

/** What the exporter's command line asks for. */
export type ExporterConfig =
  | { readonly action: 'show'; readonly text: string }
  | {
      readonly action: 'serve';
      readonly listen: ListenAddress;
      /** Further names under which the exporter is reached. */
      readonly allowedHosts: readonly string[];
      readonly allow: AllowList;
      /** The file of own modules. */
      readonly configFile: string | undefined;
      readonly metricNames: MetricNames;
      /** The file of TLS and users. */
      readonly webConfigFile: string | undefined;
      readonly timeoutMs: number;
      readonly offsetMs: number;
      readonly concurrency: number;
      readonly family: 4 | 6 | undefined;
      readonly dnsServer: string | undefined;
      readonly sourceAddress: string | undefined;
    };

function toCommanderOption({ flags, help, default: text, parse }: ValueOption): Option {
  const name = flags.slice(0, flags.indexOf(' '));
  const option = new Option(flags, help).argParser<readonly string[]>(
    (value, given) => parse(value, name, given) as readonly string[],
  );
  return text === undefined ? option : option.default(parse(text, name), text);
}

function createCommand(write: (text: string) => void): Command {
  const command = new Command('portping-exporter').description(
    'TCP probes for Prometheus, with the cause as a label: GET /probe?target=host:port. ' +
      'Also: /metrics of the exporter itself, /-/healthy, and a page for people at /.',
  );
  for (const option of Object.values(VALUE_OPTIONS)) command.addOption(toCommanderOption(option));
  return command
    .addOption(new Option('-4', 'only IPv4').conflicts('6'))
    .addOption(new Option('-6', 'only IPv6').conflicts('4'))
    .version(PORTPING_VERSION, '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .exitOverride();
}

/** The manual page of the exporter, from the table that `--help` is made from. */
export function exporterManual(): ManualPage {
  const command = createCommand(() => {});
  const help = command.createHelp();
  const [purpose = '', ...rest] = command.description().split(/(?<=\.) /);
  return {
    name: command.name(),
    purpose,
    usages: [command.usage()],
    sections: [
      { title: 'DESCRIPTION', text: rest.join(' ') },
      {
        title: 'OPTIONS',
        entries: help.visibleOptions(command).map((option) => ({
          term: help.optionTerm(option),
          text: help.optionDescription(option),
        })),
      },
    ],
    related: ['portping'],
  };
}

/**
 * The exporter's command line as a checked configuration.
 *
 * @param argv the words after `node portping-exporter`
 * @throws UsageError naming the argument, what is wrong with it and what is allowed
 */
export function parseExporterArguments(argv: readonly string[]): ExporterConfig {
  let shown = '';
  const command = createCommand((text) => {
    shown += text;
  });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { action: 'show', text: shown };
    throw new UsageError(error.message.replace(/^error: /, '').replace(/\s+/g, ' '));
  }
  const options = command.opts<RawOptions>();
  const alias = options['web.listenAddress'];
  if (alias && command.getOptionValueSource('listen') === 'cli')
    throw new UsageError('--web.listen-address: is there beside --listen; allowed: one of them');
  const family = options[4] ? 4 : options[6] ? 6 : undefined;
  checkSourceFamily(options.source, family, '--source');
  return {
    action: 'serve',
    listen: alias ?? options.listen,
    allowedHosts: options['web.allowedHost'] ?? [],
    allow: new AllowList(options.allow ?? []),
    configFile: options['config.file'],
    metricNames: options.metrics,
    webConfigFile: options['web.config.file'],
    timeoutMs: options.timeout,
    offsetMs: options.timeoutOffset,
    concurrency: options.concurrency,
    family,
    dnsServer: options.dns,
    sourceAddress: options.source,
  };
}
