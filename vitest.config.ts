import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    // The deadlines of real probes are measured: two cores carry two files at once.
    maxWorkers: 2,
  },
});
