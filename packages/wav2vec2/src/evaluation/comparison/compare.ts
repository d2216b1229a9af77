import { UserError } from "../../errors.js";
import { alignToRead, alignWords } from "../../text/scoring/aligned-words.js";
import { sumErrors, type TextErrors, textErrors } from "../../text/scoring/error-rate.js";
import { type FormDifferences, formDifferences } from "../../text/scoring/form-differences.js";
import { differInFormAlone, formKey } from "../../unicode/unicode-forms.js";
import type { Scores } from "../evaluation.js";
import type { ComparableResult, ComparableUtterance } from "../result-file.js";
import { type BootstrapUnit, bootstrapUnits, countsSentences, scoresOf } from "../summary.js";
import {
  type BootstrapDifference,
  type BootstrapOptions,
  bootstrapDifference,
  bootstrapWer,
  type Interval,
  RESAMPLES,
} from "./bootstrap.js";
import { errorSegments, type MatchedPairs, matchedPairs } from "./matched-pairs.js";
import { type PairedWord, pairedWords } from "./paired-words.js";

export interface ComparedSystem extends Scores {
  file: string;
  model?: string;
  werInterval: Interval;
}

/** An utterance as two systems recognised it. */
export interface ComparedUtterance extends Omit<ComparableUtterance, "hypothesis"> {
  first: string;
  second: string;
  words: number;
  firstErrors: number;
  secondErrors: number;
  /** Errors of the second less those of the first. */
  change: number;
  /** What both recognised, word by word. */
  columns: PairedWord[];
}

export interface Comparison {
  systems: [ComparedSystem, ComparedSystem];
  utteranceCount: number;
  textNormalization: string[];
  bootstrap: { by: BootstrapUnit; resamples: number; seed: number };
  /** Second less first: below 0 where the second is better. */
  difference: { wer: number } & BootstrapDifference;
  matchedPairs: MatchedPairs;
  /** In how many utterances the second system makes fewer, as many and more errors. */
  better: number;
  equal: number;
  worse: number;
  /** How many references have no spaces between words, where most have none. */
  wholeSentences: number;
  /** Words of each system that differ from the reference in the form of their letters alone. */
  formDifferences: [FormDifferences | undefined, FormDifferences | undefined];
  /** Those in which the number of errors differs most come first. */
  utterances: ComparedUtterance[];
}

export interface CompareOptions extends BootstrapOptions {
  bootstrapBy?: BootstrapUnit | undefined;
}

/**
 * Which of two systems is better on the same utterances, and whether chance would explain it.
 *
 * @throws UserError naming the first utterance that one of them lacks or whose references differ
 */
export function compareResults(
  first: ComparableResult,
  second: ComparableResult,
  { bootstrapBy = "utterance", resamples = RESAMPLES, seed = 0 }: CompareOptions = {},
): Comparison {
  const [a, b] = paired(first, second);
  const options = { resamples, seed };
  const [unitsA, unitsB] = [bootstrapUnits(a, bootstrapBy), bootstrapUnits(b, bootstrapBy)];
  const systems: Comparison["systems"] = [
    system(first, a, bootstrapWer(unitsA, options)),
    system(second, b, bootstrapWer(unitsB, options)),
  ];
  const utterances = a.map((each, i): ComparedUtterance => {
    const { id, split, speaker, path, start, end, seconds, reference, words } = each;
    const [first, second] = [each.hypothesis, b[i]!.hypothesis];
    const [firstErrors, secondErrors] = [sumErrors(each), sumErrors(b[i]!)];
    return {
      id,
      split,
      speaker,
      path,
      start,
      end,
      seconds,
      reference,
      first,
      second,
      words,
      firstErrors,
      secondErrors,
      change: secondErrors - firstErrors,
      columns: pairedWords(reference, first, second),
    };
  });
  const segments = utterances.flatMap((each) =>
    errorSegments(alignWords(each.reference, each.first), alignWords(each.reference, each.second)),
  );
  const formsOf = (which: "first" | "second") =>
    formDifferences(utterances.flatMap((each) => alignToRead(each.reference, each[which])));
  const better = utterances.filter(({ change }) => change < 0).length;
  const worse = utterances.filter(({ change }) => change > 0).length;
  return {
    systems,
    utteranceCount: utterances.length,
    textNormalization: [...first.textNormalization],
    bootstrap: { by: bootstrapBy, ...options },
    difference: { wer: systems[1].wer - systems[0].wer, ...bootstrapDifference(unitsA, unitsB, options) },
    matchedPairs: matchedPairs(segments),
    better,
    equal: utterances.length - better - worse,
    worse,
    wholeSentences: countsSentences({ utterances }),
    formDifferences: [formsOf("first"), formsOf("second")],
    utterances: utterances.sort((x, y) => Math.abs(y.change) - Math.abs(x.change) || x.words - y.words),
  };
}

type ScoredUtterance = ComparableUtterance & TextErrors;

/** Both systems' utterances with their errors, in the first's order. */
function paired(first: ComparableResult, second: ComparableResult): [ScoredUtterance[], ScoredUtterance[]] {
  const others = new Map(second.utterances.map((utterance) => [utterance.id, utterance]));
  // Ids are often names of files, whose letters systems encode in different ways.
  const byForm = new Map(second.utterances.map((utterance) => [formKey(utterance.id), utterance]));
  const found = new Set<string>();
  const scored = (each: ComparableUtterance) => ({
    ...each,
    ...textErrors(each.reference, each.hypothesis),
  });
  const pairs = first.utterances.map((each) => {
    const other = others.get(each.id) ?? byForm.get(formKey(each.id));
    if (!other) throw lacking(second, each.id, first);
    found.add(other.id);
    if (other.reference !== each.reference) throw differing(first, second, each, other);
    return [scored(each), scored({ ...each, hypothesis: other.hypothesis })] as const;
  });
  const added = second.utterances.find(({ id }) => !found.has(id));
  if (added) throw lacking(first, added.id, second);
  if (pairs.every(([{ words }]) => words === 0))
    throw new UserError(`${first.file} must have references with words to be compared, but none has.`);
  return [pairs.map(([each]) => each), pairs.map(([, other]) => other)];
}

function lacking({ file }: ComparableResult, id: string, { file: other }: ComparableResult): UserError {
  return new UserError(
    `Results must be of the same utterances to be compared, but ${file} lacks ${id}, which ${other} has. Evaluate both on the same data.`,
  );
}

function differing(
  first: ComparableResult,
  second: ComparableResult,
  { id, reference }: { id: string; reference: string },
  other: { reference: string },
): UserError {
  const [a, b] = [first, second].map(({ textNormalization }) => textNormalization.join(",") || "none");
  const hint =
    a === b
      ? differInFormAlone(reference, other.reference)
        ? "They differ in the form of their letters alone; evaluate both with --normalize form."
        : "Evaluate both on the same data."
      : `Their --normalize differs (${a} and ${b}); evaluate both with the same.`;
  return new UserError(
    `References must be the same to be compared, but that of ${id} is ${JSON.stringify(reference)} in ${first.file} and ` +
      `${JSON.stringify(other.reference)} in ${second.file}. ${hint}`,
  );
}

function system(
  { file, model }: ComparableResult,
  utterances: readonly TextErrors[],
  werInterval: Interval,
): ComparedSystem {
  return { file, ...(model === undefined ? {} : { model }), ...scoresOf(utterances), werInterval };
}
