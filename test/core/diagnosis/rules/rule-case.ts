import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type {
  Certainty,
  Conclusion,
  RuleSection,
} from '../../../../src/core/diagnosis/rules/conclusion.js';
import {
  type Finding,
  type FindingKind,
  findings,
  verdictOf,
} from '../../../../src/core/diagnosis/rules/table.js';
import { observations, type Particulars } from '../observations.js';

/** A conclusion in full, word for word. */
interface Expected {
  readonly certainty: Certainty;
  readonly statement: string;
  /** The facts, without their times. */
  readonly evidence: readonly string[];
  readonly advice: string;
}

/** One rule: its trigger and conclusion, and near misses that must not trigger it. */
export interface RuleCase {
  readonly trigger: Particulars;
  /** By what excludes the rule, in the words that follow `Not:` in the rule's comment. */
  readonly nearMisses: Readonly<Record<string, Particulars>>;
  readonly finding: Expected;
  /** False if the trigger has another verdict, although the rule is no hint. */
  readonly verdict?: false;
}

/** The folder of the rules. */
const FOLDER = new URL('../../../../src/core/diagnosis/rules/', import.meta.url);

/** What excludes each rule: the words after `Not:` in its comment, up to a full stop. */
function readExclusions(): Map<string, string[]> {
  const sources = readdirSync(FOLDER).map((file) => readFileSync(new URL(file, FOLDER), 'utf8'));
  const comments = sources.flatMap((source) => [
    ...source.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*'?([a-z-]+)'?:/g),
  ]);
  return new Map(
    comments.map(([, comment = '', kind = '']) => {
      const text = comment.replace(/\s*\n\s*\*\s*/g, ' ').trim();
      const exclusions = /Not: (.*?)\.(?= [A-Z]|$)/.exec(text)?.[1];
      return [kind, exclusions?.split('; ') ?? []];
    }),
  );
}

/** By the kind of the rule. */
export const EXCLUSIONS = readExclusions();

/** The conclusion without the times of its evidence. */
export const inWords = ({ certainty, statement, evidence, advice }: Conclusion): Expected => ({
  certainty,
  statement,
  evidence: evidence.map(({ fact }) => fact),
  advice,
});

/** All findings of a case. */
const findingsOf = (particulars: Particulars): Finding[] => findings(observations(particulars));

/** The kinds of all findings of a case. */
export const kindsOf = (particulars: Particulars): FindingKind[] =>
  findingsOf(particulars).map(({ kind }) => kind);

/** The verdict of a case. */
export const verdictIn = (particulars: Particulars): Finding => verdictOf(findingsOf(particulars));

/** Tests every rule of a section with its case. */
export function testRules<Section extends RuleSection>(
  section: Section,
  cases: Readonly<Record<keyof Section, RuleCase>>,
): void {
  describe.each(Object.entries<RuleCase>(cases))('the rule %s', (kind, each) => {
    const conclude = (particulars: Particulars) => section[kind]?.(observations(particulars));

    it('concludes from its trigger, word for word', () => {
      const conclusion = conclude(each.trigger);
      expect(conclusion && inWords(conclusion)).toEqual(each.finding);
    });

    it.each(Object.entries(each.nearMisses))('concludes nothing if %s', (_, nearMiss) => {
      expect(conclude(nearMiss)).toBeNull();
    });

    it('says in its comment what excludes it', () => {
      expect(EXCLUSIONS.get(kind)).toEqual(Object.keys(each.nearMisses));
    });

    it('is the verdict if it is no hint', () => {
      const isHint = each.finding.certainty === 'possible' || each.verdict === false;
      expect(verdictIn(each.trigger).kind === kind).toBe(!isHint);
    });
  });
}
