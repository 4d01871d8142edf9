import { defineConfig } from 'vitest/config';
import { SkippedNeeds } from './test/support/skipped-needs.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/seed.ts'],
    reporters: ['default', new SkippedNeeds()],
    // Only for what hangs: a busy machine may take ten times as long as an idle one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The deadlines of real probes are measured: two cores carry two files at once.
    maxWorkers: 2,
    // A test that was tried once more has measured real time: see test/support/real-time.ts.
    retry: 0,
    allowOnly: false,
    expect: { requireAssertions: true },
  },
});
