import { testSituations } from './suite.js';
import { WIRE } from './wire.js';

testSituations({ title: 'Of every answer on the wire, portping', situations: WIRE });
