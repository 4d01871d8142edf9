// Loaded by --require: ends stderr with a line that says which of Node's modules and which files
// were loaded.
const { writeSync } = require('node:fs');
const { basename } = require('node:path');

const before = new Set(process.moduleLoadList);

process.on('exit', () => {
  const builtins = process.moduleLoadList
    .filter((name) => !before.has(name) && name.startsWith('NativeModule '))
    .map((name) => name.replace('NativeModule ', ''));
  const files = Object.keys(require.cache)
    .filter((path) => /[\\/]dist[\\/]/.test(path))
    .map((path) => basename(path));
  writeSync(2, `\n${JSON.stringify({ builtins, files })}`);
});
