// Loaded by --require: writes to stderr how much memory the process took at most. Threads do, too.
const { writeSync } = require('node:fs');

process.on('exit', () => writeSync(2, `peak ${process.resourceUsage().maxRSS} KiB\n`));
