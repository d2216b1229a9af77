import { noGrad, scope } from "@wav2vec2/libtorch";
import type { CtcBatch } from "../data/batches/ctc-collator.js";
import type { CtcModel } from "../pretrained/ctc-directory.js";
import { type CtcBatchMaker, clipEmissions, scoreBatch } from "../recognition/emissions/ctc-batches.js";
import type { Emissions } from "../recognition/emissions/emissions.js";
import type { SpeechRecognizer } from "../recognition/speech-recognizer.js";
import { ctcLoss } from "../text/alignment/ctc-loss.js";

/** What the network says of a clip. */
export interface ScoredClip extends Emissions {
  /** CTC's of its labels; not finite where they fit no path. */
  loss: number;
}

/** A network that is evaluated, whatever runs it. */
export interface EvaluatedNetwork extends CtcBatchMaker {
  /** Of the clips of a batch, in its order. */
  score(batch: CtcBatch): ScoredClip[] | Promise<ScoredClip[]>;
}

export function torchNetwork(ctc: CtcModel): EvaluatedNetwork {
  const score = (batch: CtcBatch): ScoredClip[] =>
    noGrad(() =>
      scope(() => {
        const scores = scoreBatch(ctc, batch);
        const losses = ctc.model.losses(scores.logits, scores.frames, batch).toArray();
        return clipEmissions(scores).map((emissions, row) => ({ ...emissions, loss: losses[row]! }));
      }),
    );
  return { ...ctc, score };
}

/** One clip after another: together they are no faster, and a network without a mask sees the padding. */
export function onnxNetwork({ scorer, tokenizer }: SpeechRecognizer): EvaluatedNetwork {
  const { config, normalize } = scorer;
  const { size, blankId } = tokenizer.vocabulary;
  const score = async ({
    input,
    paddedLength,
    lengths,
    labels,
    labelLengths,
  }: CtcBatch): Promise<ScoredClip[]> => {
    const clips: ScoredClip[] = [];
    let firstLabel = 0;
    for (const [row, length] of lengths.entries()) {
      const begin = row * paddedLength;
      const { logits, frames } = await scorer.score(input.slice(begin, begin + length));
      const own = labels.subarray(firstLabel, firstLabel + labelLengths[row]!);
      firstLabel += own.length;
      clips.push({ logits, frames, loss: ctcLoss(logits, frames, size, blankId, own) });
    }
    return clips;
  };
  return { model: { config }, tokenizer, normalize, score };
}
