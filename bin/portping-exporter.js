#!/usr/bin/env node
require('../dist/exporter.cjs').main(process.argv.slice(2));
