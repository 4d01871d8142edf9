import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** Tests for another operating system are skipped even where everything is installed. */
const OTHER_SYSTEM = /^needs (?:Linux|macOS|Windows)$/;

/** Why a skipped test was skipped: `needs.ts` puts the reason into its name. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  return /\(skipped: (.*?)\)(?: >|$)/.exec(test.fullName)?.[1] ?? note ?? 'no reason given';
}

/**
 * Prints after a run how many tests each unmet need skipped. With PORTPING_TESTS=all a skipped test
 * makes the run fail.
 */
export class SkippedNeeds implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules)
      for (const test of module.children.allTests('skipped')) {
        const reason = reasonOf(test);
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
      }
    // A filter also skips tests, but gives no reason.
    if (this.#vitest?.config.testNamePattern) counts.delete('no reason given');
    const wanted = process.env['PORTPING_TESTS'] === 'all';
    if (wanted)
      for (const reason of counts.keys()) if (OTHER_SYSTEM.test(reason)) counts.delete(reason);
    if (counts.size === 0) return;
    const lines = [...counts].map(([reason, count]) => `   ${count} × ${reason}`);
    const title = wanted ? 'PORTPING_TESTS=all, but tests were skipped:' : 'Skipped tests:';
    this.#vitest?.logger.log(` ${title}\n${lines.join('\n')}\n`);
    if (wanted) process.exitCode = 1;
  }
}
