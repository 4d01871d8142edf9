// PORTPING_TEST_SEED repeats a run of random inputs; a property that fails prints its seed.
const seed = process.env['PORTPING_TEST_SEED'];
if (seed !== undefined) {
  const { default: fc } = await import('fast-check');
  if (!/^-?\d+$/.test(seed)) throw new Error(`PORTPING_TEST_SEED: ${seed} is not a number`);
  fc.configureGlobal({ seed: Number(seed) });
}
export {};
