import { spawnSync } from 'node:child_process';
import { describe, test } from 'vitest';

/** Programs that read our output, and the Debian package that each is in. */
const PACKAGES = {
  promtool: 'prometheus',
  prometheus: 'prometheus',
  'prometheus-node-exporter': 'prometheus-node-exporter',
  nagios4: 'nagios4-core',
  prove: 'perl',
} as const;

/** A program that reads our output. */
export type Engine = keyof typeof PACKAGES;

const isThere = (engine: Engine): boolean => spawnSync(engine, ['--version']).error === undefined;

/**
 * `describe` for tests with real engines. Where one is missing they are skipped and the name says which package has it, or, with
 * PORTPING_LAB=required, fail.
 */
export function describeEngines(name: string, engines: readonly Engine[], tests: () => void): void {
  const missing = engines.find((engine) => !isThere(engine));
  if (missing === undefined) describe(name, { timeout: 60_000 }, tests);
  else if (process.env['PORTPING_LAB'] !== 'required')
    describe.skip(
      `${name} (skipped: there is no ${missing}, Debian's package ${PACKAGES[missing]})`,
      tests,
    );
  else
    describe(name, () =>
      test('has its engines', () =>
        Promise.reject(
          new Error(`there is no ${missing}: install Debian's package ${PACKAGES[missing]}`),
        )),
    );
}
