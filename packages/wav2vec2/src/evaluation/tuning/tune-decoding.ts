/** Weights of words in decoding. */
export interface DecodingWeights {
  lmWeight: number;
  wordScore: number;
}

/** What weights come to on the clips that they are chosen on. */
export interface WeightedErrors extends DecodingWeights {
  wer: number;
  cer: number;
}

/** pyctcdecode's. */
const DEFAULTS: DecodingWeights = { lmWeight: 0.5, wordScore: 1.5 };

/** A coarse grid over what published systems use, then closer and closer around the best. */
const LM_WEIGHTS = [0, 0.5, 1, 1.5, 2];
const WORD_SCORES = [-1, 0, 1, 2, 3];
const FINER = [
  { lmWeight: 0.25, wordScore: 0.5 },
  { lmWeight: 0.1, wordScore: 0.25 },
];

/**
 * Looks for the weights with the fewest word errors, of those with as few with the fewest character errors (or the other way
 * round), of those the nearest to the defaults: the middle of a plateau rather than its edge.
 *
 * @param measure errors of some weights; several may run at once
 * @param onProgress is told of each that was measured; `total` is how many there will be at most
 * @param by which errors decide
 * @returns all that were measured, best first
 */
export async function searchWeights(
  measure: (weights: DecodingWeights) => Promise<{ wer: number; cer: number }>,
  onProgress: (done: number, total: number, best: WeightedErrors) => void = () => {},
  by: "wer" | "cer" = "wer",
): Promise<WeightedErrors[]> {
  const found = new Map<string, WeightedErrors>();
  const total = LM_WEIGHTS.length * WORD_SCORES.length + FINER.length * 8;
  const measureAll = async (points: readonly DecodingWeights[]) => {
    const fresh = points.filter((point) => point.lmWeight >= 0 && !found.has(keyOf(point)));
    await Promise.all(
      fresh.map(async (point) => {
        const { wer, cer } = await measure(point);
        found.set(keyOf(point), { ...point, wer, cer });
        onProgress(found.size, total, ranked(found, by)[0]!);
      }),
    );
  };
  await measureAll(
    LM_WEIGHTS.flatMap((lmWeight) => WORD_SCORES.map((wordScore) => ({ lmWeight, wordScore }))),
  );
  for (const step of FINER) {
    const { lmWeight, wordScore } = ranked(found, by)[0]!;
    await measureAll(
      [-1, 0, 1].flatMap((i) =>
        [-1, 0, 1].map((j) => ({
          lmWeight: rounded(lmWeight + i * step.lmWeight),
          wordScore: rounded(wordScore + j * step.wordScore),
        })),
      ),
    );
  }
  return ranked(found, by);
}

function ranked(found: ReadonlyMap<string, WeightedErrors>, by: "wer" | "cer"): WeightedErrors[] {
  const other = by === "wer" ? "cer" : "wer";
  const oddity = ({ lmWeight, wordScore }: DecodingWeights) =>
    Math.abs(lmWeight - DEFAULTS.lmWeight) + Math.abs(wordScore - DEFAULTS.wordScore) / 4;
  return [...found.values()].sort((a, b) => a[by] - b[by] || a[other] - b[other] || oddity(a) - oddity(b));
}

function keyOf({ lmWeight, wordScore }: DecodingWeights): string {
  return `${lmWeight} ${wordScore}`;
}

/** Sums of steps without their last bits. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
