import { type Command, Option } from 'commander';
import { isIP } from 'node:net';
import type { ProbeOptions } from '../core/probe-target.js';
import { parseHost, type Target } from '../core/target.js';
import { parseTarget } from '../core/target-list.js';
import { UsageError } from '../core/usage-error.js';

/** Finding out why a target can or cannot be reached. */
export interface DiagnosisConfig {
  readonly action: 'diagnose';
  readonly target: Target;
  readonly probe: Pick<ProbeOptions, 'family' | 'timeoutMs' | 'sourceAddress' | 'dnsServer'>;
  /** Probed too, whatever the name says. */
  readonly extraAddress: string | undefined;
  /** Whether other ports of the host may be tried. */
  readonly companions: boolean;
  readonly format: 'text' | 'json' | 'markdown';
  readonly quiet: boolean;
  /** False when the user asked for no colour; otherwise it is for the terminal to decide. */
  readonly color: boolean;
}

/** The options of a diagnosis as commander has them, and those it shares with probes. */
export interface RawDiagnosisOptions {
  readonly diagnose?: true;
  readonly ip?: string;
  readonly companions: boolean;
  readonly report?: true;
  readonly output: string;
  readonly quiet?: true;
  readonly color: boolean;
}

/** Options that say how often and how many ports are probed, or how a probe is shown: a diagnosis has its own way of all that. */
const NOT_WITH_DIAGNOSIS = ['count', 'continuous', 'wait', 'all', 'expect', 'maxLatency', 'targets', 'concurrency', 'rate', 'verbose', 'timestamps'];

function parseExtraAddress(text: string): string {
  if (isIP(text) === 0) throw new UsageError(`--ip: "${text}" is not an address; allowed: an IPv4 or IPv6 address of the host`);
  return parseHost(text);
}

/** Adds the options of a diagnosis. */
export function addDiagnosisOptions(program: Command): Command {
  return program
    .addOption(new Option('--diagnose', 'find out why: the name, the addresses, this machine, the host; at the most three times the timeout').conflicts(NOT_WITH_DIAGNOSIS))
    .option('--ip <address>', 'with --diagnose: an address to probe too, whatever the name says', parseExtraAddress)
    .option('--no-companions', 'with --diagnose: leave other ports of the host alone (443, 80, 22, 445, 3389, 25)')
    .addOption(new Option('--report', 'the diagnosis as a block of Markdown, for a ticket').conflicts([...NOT_WITH_DIAGNOSIS, 'output']));
}

/**
 * The diagnosis that a command line asks for, or null when it asks for none.
 *
 * @throws UsageError when something is asked of it that it cannot do, or something that only it can do
 */
export function chooseDiagnosis(words: readonly string[], options: RawDiagnosisOptions, probe: DiagnosisConfig['probe']): DiagnosisConfig | null {
  const { diagnose = false, report = false, ip, companions, output, quiet = false, color } = options;
  if (!diagnose && !report) {
    if (ip !== undefined) throw new UsageError('--ip: only a diagnosis looks at a further address; allowed with --diagnose or --report');
    if (!companions) throw new UsageError('--no-companions: a plain probe tries no other port; allowed with --diagnose or --report');
    return null;
  }
  if (output !== 'text' && output !== 'json') throw new UsageError(`--output: a diagnosis cannot be written as ${output}; allowed: text, json, or --report`);
  const target = parseTarget(words);
  return { action: 'diagnose', target, probe, extraAddress: ip, companions, format: report ? 'markdown' : output, quiet, color };
}
