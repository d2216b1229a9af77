import { counted } from "../counted.js";
import { UserError } from "../errors.js";
import { alignToRead } from "../text/scoring/aligned-words.js";
import { type Confusions, countConfusions } from "../text/scoring/confusions.js";
import { ErrorRate, sumErrors, type TextErrors } from "../text/scoring/error-rate.js";
import { formDifferences, formDifferencesNote } from "../text/scoring/form-differences.js";
import { wholeSentences, wholeSentencesNote } from "../text/scoring/whole-sentences.js";
import { type BootstrapOptions, bootstrapWer, type Unit } from "./comparison/bootstrap.js";
import type { EvaluatedUtterance, EvaluationResult, GroupScores, Scores } from "./evaluation.js";

/** Of groups: what is drawn is small, and the last digit of an interval's ends is not what they are for. */
const GROUP_RESAMPLES = 1000;
const FEWEST_SPEAKERS = 10;
/** Seconds at which the buckets of lengths begin. */
const LENGTHS = [0, 2, 5, 10, 15, 20];

export const BOOTSTRAP_UNITS = ["utterance", "speaker"] as const;
export type BootstrapUnit = (typeof BOOTSTRAP_UNITS)[number];

/** Error rates over all of `utterances`, and their counts. */
export function scoresOf(utterances: Iterable<TextErrors>): Scores {
  const rate = ErrorRate.of(utterances);
  const { words, substitutions, deletions, insertions } = rate;
  const { characters, characterSubstitutions, characterDeletions, characterInsertions } = rate;
  return {
    wer: rate.wer,
    cer: rate.cer,
    sentenceErrorRate: rate.sentenceErrorRate,
    words,
    substitutions,
    deletions,
    insertions,
    characters,
    characterSubstitutions,
    characterDeletions,
    characterInsertions,
  };
}

/**
 * What the bootstrap draws.
 *
 * @throws UserError where speakers are too few to draw, or some utterances have none
 */
export function bootstrapUnits<T extends TextErrors & { id: string; speaker?: string | undefined }>(
  utterances: readonly T[],
  by: BootstrapUnit,
): Unit[] {
  if (by === "utterance") return utterances.map((each) => ({ errors: sumErrors(each), words: each.words }));
  const speakers = new Map<string, Unit>();
  for (const { id, speaker, words, ...errors } of utterances) {
    if (speaker === undefined)
      throw new UserError(
        `Speakers of all utterances must be known to draw them, but that of ${id} is not. Draw utterances: --bootstrap-by utterance.`,
      );
    const unit = speakers.get(speaker) ?? { errors: 0, words: 0 };
    unit.errors += sumErrors(errors);
    unit.words += words;
    speakers.set(speaker, unit);
  }
  if (speakers.size < FEWEST_SPEAKERS)
    throw new UserError(
      `There must be ${FEWEST_SPEAKERS} speakers to draw them, but there are ${speakers.size}. Draw utterances: --bootstrap-by utterance.`,
    );
  return [...speakers.values()];
}

/** Tables by split, speaker and length; empty where the corpus does not tell. */
export function groupScores(
  utterances: readonly EvaluatedUtterance[],
  seed: number,
): EvaluationResult["groups"] {
  const table = (
    nameOf: (utterance: EvaluatedUtterance) => string | undefined,
    names?: readonly string[],
  ) => {
    const groups = new Map<string, EvaluatedUtterance[]>(names?.map((name) => [name, []]));
    for (const utterance of utterances) {
      const name = nameOf(utterance);
      if (name === undefined) continue;
      const group = groups.get(name);
      if (group) group.push(utterance);
      else groups.set(name, [utterance]);
    }
    return [...groups]
      .filter(([, members]) => members.length > 0)
      .map(([name, members]) => scoresOfGroup(name, members, { resamples: GROUP_RESAMPLES, seed }));
  };
  const byName = (a: GroupScores, b: GroupScores) => a.name.localeCompare(b.name, "en", { numeric: true });
  return {
    split: table(({ split }) => split).sort(byName),
    speaker: table(({ speaker }) => speaker).sort(byName),
    length: table(({ seconds }) => lengthBucket(seconds), LENGTHS.map(bucketName)),
  };
}

function scoresOfGroup(
  name: string,
  members: readonly EvaluatedUtterance[],
  options: BootstrapOptions,
): GroupScores {
  return {
    name,
    utteranceCount: members.length,
    seconds: sumSeconds(members),
    ...scoresOf(members),
    werInterval: bootstrapWer(bootstrapUnits(members, "utterance"), options),
  };
}

/** "2-5" for 2 s up to, not including, 5 s; "20+". */
export function lengthBucket(seconds: number): string {
  return bucketName(LENGTHS.findLast((from) => seconds >= from) ?? 0);
}

function bucketName(from: number): string {
  const to = LENGTHS[LENGTHS.indexOf(from) + 1];
  return to === undefined ? `${from}+` : `${from}-${to}`;
}

export function sumSeconds(utterances: readonly { seconds: number }[]): number {
  return utterances.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** How many references have no spaces between words, where most have none: then CER is what to go by. */
export function countsSentences({ utterances }: { utterances: readonly { reference: string }[] }): number {
  return wholeSentences(utterances.map(({ reference }) => reference));
}

/** What the texts of an evaluation say of its word error rate. */
export function textNotes({
  utterances,
  confusions,
  unknownCharacters: { otherForm = 0 },
}: Pick<EvaluationResult, "utterances" | "confusions" | "unknownCharacters">): string[] {
  const sentences = countsSentences({ utterances });
  const forms = formDifferences(confusions.substitutions);
  return [
    ...(sentences > 0 ? [wholeSentencesNote(sentences, utterances.length)] : []),
    ...(otherForm > 0
      ? [
          `${counted(otherForm, "reference")} ${otherForm === 1 ? "has" : "have"} letters in another form than the model's vocabulary, ` +
            "so that their words can never be right: --normalize form compares them all the same.",
        ]
      : []),
    ...(forms ? [formDifferencesNote(forms)] : []),
  ];
}

/** Which words are taken for which; of references without spaces between words, which characters. */
export function confusionsOf(utterances: readonly EvaluatedUtterance[]): Confusions {
  const wrong = utterances.filter((utterance) => sumErrors(utterance) > 0);
  return countConfusions(wrong.map(({ reference, hypothesis }) => alignToRead(reference, hypothesis)));
}

/** Those with errors, the highest error rate first; of equal ones the longest. */
export function worstUtterances<T extends TextErrors>(utterances: readonly T[]): T[] {
  const rate = (each: T) => sumErrors(each) / Math.max(1, each.words);
  return utterances
    .filter((each) => sumErrors(each) > 0)
    .sort((a, b) => rate(b) - rate(a) || b.words - a.words);
}
