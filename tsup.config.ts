import { defineConfig } from 'tsup';

/** The library; the programs are built by rolldown, which splits CommonJS into chunks. */
export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: 'esm',
  target: 'node20',
  removeNodeProtocol: false,
  minifyWhitespace: true,
  dts: true,
  splitting: false,
  clean: true,
});
