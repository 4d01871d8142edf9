import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLab, describeLab, type Lab, type LabOptions } from '../../support/lab.js';
import { type ScriptedRule, startScriptedHost } from '../../support/scripted-host.js';
import type { DnsZone } from '../../support/dns-server.js';
import { judge, judgeTotals } from './oracle.js';
import { askAll, type Batch, type Runner, type Said } from './run.js';
import { NETWORKS, place, type Placed, type Situation } from './situation.js';

/** A world and the situations in it. */
export interface Suite extends Partial<Omit<Runner, 'lab'>> {
  title: string;
  situations: readonly Situation[];
  /** So many copies of the world share the situations: for those that need a quiet machine. */
  copies?: number;
  lab?: LabOptions;
  /** Rules of the scripted host besides those of the sites. */
  rules?: readonly ScriptedRule[];
  /** Builds the rest of the world. The zone has the names of the sites. */
  setUp?: (lab: Lab, zone: DnsZone) => Promise<void>;
}

const startDns = async (lab: Lab, zone: DnsZone): Promise<void> => {
  await lab.dns('client', { address: '127.0.0.1', zone });
};

/** What was said in one world, and how to ask about one of its situations again. */
interface World {
  said: Map<Placed, Said>;
  askAgain: (placed: Placed) => Promise<string[]>;
}

/** Builds one world and asks about the situations in it. */
async function askInWorld(lab: Lab, suite: Suite, own: readonly Situation[]): Promise<World> {
  const { rules: more = [], setUp = startDns, options = ['-w', '1500ms'], atOnce = 16 } = suite;
  const { placed, rules, zone } = place(own);
  await startScriptedHost(lab, { rules: [...more, ...rules], networks: NETWORKS });
  await setUp(lab, zone);
  const runner = { lab, options, atOnce };
  return {
    said: await askAll(runner, placed),
    askAgain: async (each) =>
      [...(await askAll(runner, [each]))].flatMap(([one, said]) => judge(one, said)),
  };
}

/** Tests that nothing false is said in any situation of a world. */
export function testSituations(suite: Suite): void {
  const { title, situations, copies = 1, lab: labOptions = {} } = suite;
  describeLab(
    title,
    () => {
      const labs: Lab[] = [];
      /** What is wrong at the first try, and at another one. */
      const tries = new Map<
        Situation,
        { first: string[] | null; again: () => Promise<string[]> }
      >();
      const batches = new Set<Batch>();

      beforeAll(async () => {
        await Promise.all(
          Array.from({ length: copies }, async (_, copy) => {
            const lab = await createLab({ icmpLimits: true, ...labOptions });
            labs.push(lab);
            const own = situations.filter((_each, index) => index % copies === copy);
            const { said: all, askAgain } = await askInWorld(lab, suite, own);
            for (const [placed, said] of all) {
              const again = () => askAgain(placed);
              tries.set(placed.situation, { first: judge(placed, said), again });
              if (said.batch) batches.add(said.batch);
            }
          }),
        );
      }, 300_000);
      afterAll(async () => {
        await Promise.all(labs.map((lab) => lab.close()));
      });

      it('counts the same in every format', () => {
        expect([...batches].flatMap(judgeTotals)).toEqual([]);
      });

      it.each(situations.map((each) => [each.title, each] as const))('%s', async (_, each) => {
        const its = tries.get(each);
        const problems = its?.first ?? (await its?.again());
        if (its) its.first = null; // a test that is tried once more asks once more
        expect(problems).toEqual([]);
      });
    },
    'delayLink',
  );
}
