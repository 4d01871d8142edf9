import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Only for what hangs: a busy machine may take ten times as long as an idle one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The deadlines of real probes are measured: two cores carry two files at once.
    maxWorkers: 2,
    // Real time, on a machine that others may be using: CI gives a test a second chance, and its report says that it did (retry x1). Nobody else does.
    retry: process.env['CI'] ? 1 : 0,
  },
});
