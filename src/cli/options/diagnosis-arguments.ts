import type { ProbeOptions } from '../../core/probe/target-probe.js';
import type { Target } from '../../core/target/target.js';
import { parseTarget } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';

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
  /** Instead of standard output; null for that. */
  readonly outputFile: string | null;
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
  readonly outputFile?: string;
  readonly quiet?: true;
  readonly color: boolean;
}

/**
 * The diagnosis that a command line asks for, or null when it asks for none.
 *
 * @throws UsageError when something is asked of it that it cannot do, or something that only it can do
 */
export function chooseDiagnosis(
  words: readonly string[],
  options: RawDiagnosisOptions,
  probe: DiagnosisConfig['probe'],
): DiagnosisConfig | null {
  const {
    diagnose = false,
    report = false,
    ip,
    companions,
    output,
    outputFile = null,
    quiet = false,
    color,
  } = options;
  if (!diagnose && !report) {
    if (ip !== undefined)
      throw new UsageError(
        '--ip: only a diagnosis looks at a further address; allowed with --diagnose or --report',
      );
    if (!companions)
      throw new UsageError(
        '--no-companions: a plain probe tries no other port; allowed with --diagnose or --report',
      );
    return null;
  }
  if (output !== 'text' && output !== 'json')
    throw new UsageError(
      `--output: a diagnosis cannot be written as ${output}; allowed: text, json, or --report`,
    );
  const target = parseTarget(words);
  return {
    action: 'diagnose',
    target,
    probe,
    extraAddress: ip,
    companions,
    format: report ? 'markdown' : output,
    outputFile,
    quiet,
    color,
  };
}
