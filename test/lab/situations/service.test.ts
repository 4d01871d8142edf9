import { SERVICE } from './service.js';
import { testSituations } from './suite.js';

testSituations({ title: 'Of what an open port does, portping', situations: SERVICE });
