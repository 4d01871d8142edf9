import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import * as library from '../src/index.js';

/** Casts a value that JavaScript can pass although the types forbid it. */
const partly = <T>(value: unknown): T => value as T;

const INDEX = fileURLToPath(new URL('../src/index.ts', import.meta.url));

/** All symbols that a user of the library can import. */
const VALUES =
  'DEFAULT_TIMEOUT_MS EXIT_CODES SERVICE_NAMES Statistics UsageError diagnose exitCodeOf ' +
  'explain formatEndpoint judge lookUpError parseDuration parseTarget parseTargetLine ' +
  'parseTargets pendingLookups probeEveryAddress probePort probeSeries probeTarget ' +
  'probeTargets reasonOf resolveHost waitUntil warmUp';
const TYPES =
  'Attempt AttemptOptions DiagnoseOptions Diagnosis Endpoint ErrorFacts Expectation ' +
  'ExpectationOptions Explanation Finding ManyOptions Observations Outage OutageEvent ' +
  'Outcome ProbeEvent ProbeOptions ProbeReport Reason Resolution ResolveOptions SeriesEvent ' +
  'SeriesOptions ServiceFinding ServiceName ServiceRequest State Summary Target TargetBlock ' +
  'TargetRequest Verdict WaitOptions WaitResult WinsockError';

const program = ts.createProgram([INDEX], {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  skipLibCheck: true,
  types: ['node'],
});
const checker = program.getTypeChecker();

const unaliased = (symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

function publicSymbols(): ts.Symbol[] {
  const index = program.getSourceFile(INDEX);
  const module = index && checker.getSymbolAtLocation(index);
  return module ? checker.getExportsOfModule(module).map(unaliased) : [];
}

const isOurs = (symbol: ts.Symbol): boolean =>
  (symbol.declarations ?? []).some((each) => /\/src\//.test(each.getSourceFile().fileName));

/** Our interfaces and classes that the public names use, directly or not. */
function reachableNames(): Map<string, ts.Symbol> {
  const reached = new Map<string, ts.Symbol>();
  const seen = new Set<ts.Type>();
  const visit = (type: ts.Type): void => {
    if (seen.has(type)) return;
    seen.add(type);
    const symbol = type.getSymbol();
    const isNamed = symbol && symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class);
    if (isNamed && isOurs(symbol)) reached.set(symbol.name, symbol);
    for (const part of type.isUnionOrIntersection() ? type.types : []) visit(part);
    for (const argument of checker.getTypeArguments(type as ts.TypeReference)) visit(argument);
    if (symbol && !isOurs(symbol) && !(symbol.flags & ts.SymbolFlags.TypeLiteral)) return;
    for (const property of type.getProperties())
      if (!property.name.includes('#')) visit(checker.getTypeOfSymbol(property));
    for (const signature of [...type.getCallSignatures(), ...type.getConstructSignatures()]) {
      visit(signature.getReturnType());
      for (const parameter of signature.getParameters()) visit(checker.getTypeOfSymbol(parameter));
    }
  };
  for (const symbol of publicSymbols()) {
    if (symbol.flags & ts.SymbolFlags.Value) visit(checker.getTypeOfSymbol(symbol));
    if (symbol.flags & ts.SymbolFlags.Type) visit(checker.getDeclaredTypeOfSymbol(symbol));
  }
  return reached;
}

describe('the public names', () => {
  it('include every interface and class that their signatures use', () => {
    const names = publicSymbols().map(({ name }) => name);
    const missing = [...reachableNames().keys()].filter((name) => !names.includes(name));
    expect(missing).toEqual([]);
  });

  it('are these 60 and no others', () => {
    const names = publicSymbols().map(({ name }) => name);
    expect(names.sort()).toEqual(`${VALUES} ${TYPES}`.split(' ').sort());
    expect(names).toHaveLength(60);
  });

  it('are all documented', () => {
    const undocumented = publicSymbols().filter(
      (symbol) => symbol.getDocumentationComment(checker).length === 0,
    );
    expect(undocumented.map(({ name }) => name)).toEqual([]);
  });
});

describe('misuse of a public function', () => {
  const host = '127.0.0.1';
  const target = { host, port: 9 };

  it.each<[string, () => unknown, string]>([
    [
      'a port inside the host',
      () => library.probeTarget({ host: '127.0.0.1:18080', port: 18_080 }),
      'host: "127.0.0.1:18080" is more than a host; give host "127.0.0.1", and the port as port',
    ],
    [
      'no host',
      () => library.probeTarget(partly({ port: 80 })),
      'host: undefined is not a string; allowed: ' +
        'a host name, an IPv4 address in four parts, or an IPv6 address',
    ],
    [
      'a port that is text',
      () => library.probeTarget(partly({ host, port: '18080' })),
      'port: "18080" is not a number; allowed: 1 to 65535',
    ],
    [
      'an unknown option that is close to another',
      () => library.probeTarget(target, partly({ timeout: 100 })),
      'timeout: there is no such option; did you mean timeoutMs?',
    ],
    [
      'an unknown option of a probe of one port',
      () => library.probePort({ address: host, family: 4, port: 9 }, partly({ dnsServer: 'x' })),
      'dnsServer: there is no such option; ' +
        'allowed: timeoutMs, signal, sourceAddress, watchMs, closeWith',
    ],
    [
      'a part that only tests may replace',
      () => library.resolveHost('localhost', partly({ systemLookup: () => null })),
      'systemLookup: there is no such option; allowed: family, timeoutMs, signal, dnsServer',
    ],
    [
      'a misspelt option of many',
      () => library.probeTargets([{ target }], partly({ concurency: 3 })),
      'concurency: there is no such option; did you mean concurrency?',
    ],
    [
      'a target where a list is needed',
      () => library.probeTargets(partly(target)),
      'requests: not a list; allowed: [{ target: { host, port } }]',
    ],
    [
      'an option of a series in the wrong case',
      () => library.probeSeries(target, partly({ intervalMS: 3 })),
      'intervalMS: there is no such option; did you mean intervalMs?',
    ],
    [
      'a wait without a target',
      () => library.waitUntil(partly(null)),
      'target: null is not a target; allowed: { host, port }',
    ],
    [
      'a family that does not exist',
      () => library.diagnose(target, partly({ family: 5 })),
      'family: 5 is not allowed; allowed: 4, 6',
    ],
    [
      'a signal that is its controller',
      () => library.probeTarget(target, partly({ signal: new AbortController() })),
      'signal: [object AbortController] is not allowed; allowed: an AbortSignal',
    ],
    [
      'a DNS server that is a name',
      () => library.resolveHost('localhost', { dnsServer: 'dns.example.com' }),
      'dnsServer: "dns.example.com" is not the address of a DNS server; ' +
        'allowed: an address, or address:port with a port from 1 to 65535',
    ],
    [
      'options that are none',
      () => library.probeTarget(target, partly(5)),
      'options: 5 is not an object',
    ],
    [
      'an expectation that is none',
      () => library.judge(partly({ state: 'closed' }), partly({ expect: 'shut' })),
      'expect: "shut" is not allowed; allowed: open, closed, filtered, not-open',
    ],
  ])('is a UsageError that names the parameter: %s', async (_, call, message) => {
    const thrown: unknown = await (async () => call())().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(library.UsageError);
    expect((thrown as Error).message).toBe(message);
  });

  it('does not include an undefined option', async () => {
    const options = partly<library.ProbeOptions>({ family: undefined, signal: undefined });
    const { outcome } = await library.probeTarget(target, { ...options, timeoutMs: 2000 });
    expect(outcome.state).not.toBe('cancelled');
  });
});
