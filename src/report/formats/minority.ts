import type { ProbeEvent } from '../../core/facts/events.js';
import type { State } from '../../core/states.js';
import type { Target } from '../../core/target/target.js';
import { escapeControls } from '../escape.js';
import { nameTarget } from '../outcome-words.js';
import type { Totals } from '../reporter.js';

/** Names in a row. More ports than this are written as ranges. */
const MOST_NAMES = 20;

/** Targets of one state that are kept; a state that has more is only counted. */
const MOST_KEPT = 5000;

/** Ports in ascending order as ranges: `8000-8010, 8888`. */
function rangesOf(ports: readonly number[]): string[] {
  const ranges: [first: number, last: number][] = [];
  for (const port of ports) {
    const latest = ranges.at(-1);
    if (latest?.[1] === port - 1) latest[1] = port;
    else ranges.push([port, port]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
}

/** The states of a run over many targets: which targets had those that few had. */
export class Minority {
  readonly #kept = new Map<State, Map<string, Target>>();
  readonly #hosts = new Set<string>();
  readonly #ports = new Set<number>();

  /** @param listed a state whose targets the report lists anyway */
  constructor(readonly listed?: State) {}

  add({ report: { target, outcome } }: ProbeEvent): void {
    const { host, port } = target;
    // Whether there are several is all that matters.
    if (this.#hosts.size < 2) this.#hosts.add(host);
    if (this.#ports.size < 2) this.#ports.add(port);
    let kept = this.#kept.get(outcome.state);
    if (!kept) this.#kept.set(outcome.state, (kept = new Map<string, Target>()));
    if (kept.size <= MOST_KEPT) kept.set(`${host} ${port}`, target);
  }

  /** Names of a state's targets, as short as they are clear; null if there are too many. */
  #name(state: State): string[] | null {
    const targets = [...(this.#kept.get(state)?.values() ?? [])];
    if (targets.length === 0 || targets.length > MOST_KEPT) return null;
    const isOneHost = this.#hosts.size === 1;
    const ports = targets.map(({ port }) => port).sort((one, other) => one - other);
    const names = isOneHost
      ? targets.length > MOST_NAMES
        ? rangesOf(ports)
        : ports.map(String)
      : targets.map((target) =>
          this.#ports.size === 1 ? escapeControls(target.host) : nameTarget(target),
        );
    return names.length > MOST_NAMES ? null : names;
  }

  /**
   * The states with their numbers: `2 open, 60 closed; filtered: 8888, 9999`. The state that most
   * have, and all of a short run, are only counted.
   */
  describe({ counts, probes }: Totals): string {
    const states = Object.entries(counts) as [State, number][];
    const most = Math.max(...states.map(([, count]) => count));
    const majority = states.find(([, count]) => count === most)?.[0];
    const counted: string[] = [];
    const named: string[] = [];
    for (const [state, count] of states) {
      const canBeNamed = probes > MOST_NAMES && state !== majority && state !== this.listed;
      const names = canBeNamed ? this.#name(state) : null;
      if (names === null) counted.push(`${count} ${state}`);
      else named.push(`${count > MOST_NAMES ? `${count} ` : ''}${state}: ${names.join(', ')}`);
    }
    return [counted.join(', ') || 'none', ...named].join('; ');
  }
}
