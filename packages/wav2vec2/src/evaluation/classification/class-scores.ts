/** What a clip adds to the counts of labels: one decision, or one for each of its frames. */
export interface ClipCounts {
  /** Decisions, and how many of them were right. */
  total: number;
  right: number;
  /** Of each label that is in the clip or was said to be: decisions in which it was both, only said, only there. */
  labels: readonly { id: number; both: number; said: number; there: number }[];
}

/** How well one label is found. */
export interface LabelScores {
  label: string;
  /** How often it is there. */
  count: number;
  /** How often it was said. */
  predicted: number;
  precision: number;
  recall: number;
  f1: number;
}

/** How well labels are found, as scikit-learn counts. */
export interface ClassScores {
  /** Share of decisions that are right; where several labels may be, all of them. */
  accuracy: number;
  /** Mean of the labels' F1, those left out that are neither there nor said. */
  macroF1: number;
  /** F1 of all decisions together; the accuracy where there is one label a decision. */
  microF1: number;
  labels: LabelScores[];
}

/** Sums of counts: [labels] each. */
interface Sums {
  total: number;
  right: number;
  both: Float64Array;
  said: Float64Array;
  there: Float64Array;
}

function sums(clips: readonly ClipCounts[], labels: number, weights?: Float64Array): Sums {
  const of = () => new Float64Array(labels);
  const sum: Sums = { total: 0, right: 0, both: of(), said: of(), there: of() };
  for (const [place, clip] of clips.entries()) {
    const weight = weights?.[place] ?? 1;
    if (weight === 0) continue;
    sum.total += weight * clip.total;
    sum.right += weight * clip.right;
    for (const { id, both, said, there } of clip.labels) {
      sum.both[id]! += weight * both;
      sum.said[id]! += weight * said;
      sum.there[id]! += weight * there;
    }
  }
  return sum;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function f1(both: number, said: number, there: number): number {
  return ratio(2 * both, 2 * both + said + there);
}

function macroF1({ both, said, there }: Sums): number {
  const scores = Array.from(both, (value, id) => [
    value + said[id]! + there[id]!,
    f1(value, said[id]!, there[id]!),
  ]);
  const occurring = scores.filter(([count]) => count! > 0);
  return ratio(
    occurring.reduce((sum, [, score]) => sum + score!, 0),
    occurring.length,
  );
}

/** @param names of the labels, by id */
export function classScores(clips: readonly ClipCounts[], names: readonly string[]): ClassScores {
  const sum = sums(clips, names.length);
  const all = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  return {
    accuracy: ratio(sum.right, sum.total),
    macroF1: macroF1(sum),
    microF1: f1(all(sum.both), all(sum.said), all(sum.there)),
    labels: names.map((label, id) => {
      const [both, said, there] = [sum.both[id]!, sum.said[id]!, sum.there[id]!];
      return {
        label,
        count: both + there,
        predicted: both + said,
        precision: ratio(both, both + said),
        recall: ratio(both, both + there),
        f1: f1(both, said, there),
      };
    }),
  };
}

/** Accuracy and macro F1 where clips count as often as `weights` say. */
export function weightedScores(
  clips: readonly ClipCounts[],
  labels: number,
  weights: Float64Array,
): [accuracy: number, macroF1: number] {
  const sum = sums(clips, labels, weights);
  return [ratio(sum.right, sum.total), macroF1(sum)];
}

/** The counts of a clip with one label. */
export function countClip(reference: number, hypothesis: number): ClipCounts {
  if (reference === hypothesis)
    return { total: 1, right: 1, labels: [{ id: reference, both: 1, said: 0, there: 0 }] };
  return {
    total: 1,
    right: 0,
    labels: [
      { id: reference, both: 0, said: 0, there: 1 },
      { id: hypothesis, both: 0, said: 1, there: 0 },
    ],
  };
}

/**
 * The counts of a clip with labels of frames.
 *
 * @param reference [frames * labels] of 0 and 1, row by row; so is `hypothesis`
 * @param everyFrame whether a frame without a label counts
 */
export function countFrames(
  reference: Uint8Array,
  hypothesis: Uint8Array,
  labels: number,
  everyFrame: boolean,
): ClipCounts {
  const counts = Array.from({ length: labels }, (_, id) => ({ id, both: 0, said: 0, there: 0 }));
  let [total, right] = [0, 0];
  for (let frame = 0; frame < reference.length; frame += labels) {
    if (!everyFrame && !reference.subarray(frame, frame + labels).includes(1)) continue;
    let wrong = false;
    for (const count of counts) {
      const [there, said] = [reference[frame + count.id], hypothesis[frame + count.id]];
      if (there && said) count.both++;
      else if (there) count.there++;
      else if (said) count.said++;
      wrong ||= there !== said;
    }
    total++;
    if (!wrong) right++;
  }
  return { total, right, labels: counts.filter(({ both, said, there }) => both + said + there > 0) };
}

/** How often each label was taken for each: [reference][hypothesis] */
export function confusionMatrix(
  pairs: Iterable<readonly [reference: number, hypothesis: number]>,
  labels: number,
): number[][] {
  const matrix = Array.from({ length: labels }, () => new Array<number>(labels).fill(0));
  for (const [reference, hypothesis] of pairs) matrix[reference]![hypothesis]!++;
  return matrix;
}
