#!/usr/bin/env node
require('../dist/cli.cjs').main(process.argv.slice(2));
