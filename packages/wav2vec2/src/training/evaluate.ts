import { setImmediate as turn } from "node:timers/promises";
import { noGrad, scope } from "@wav2vec2/libtorch";
import { lengthBucketedBatches } from "../data/batches.js";
import { ClipCache } from "../data/clip-cache.js";
import type { CtcBatch } from "../data/ctc-collator.js";
import { readLibriSpeech } from "../data/librispeech.js";
import type { TranscribedUtterance } from "../data/utterance.js";
import { type CtcModel, type LoadCtcOptions, loadCtcModel } from "../pretrained/ctc-directory.js";
import { decodeCtc } from "../text/ctc-decode.js";
import { ErrorRate } from "../text/error-rate.js";
import type { CtcTokenizer } from "../text/tokenizer.js";
import { prepareBatch, scoreBatch } from "./ctc-batches.js";

const BATCH_SECONDS = 60;

export interface EvaluatedUtterance {
  id: string;
  reference: string;
  hypothesis: string;
}

export interface Evaluation {
  /** Word errors over reference words, of all utterances together. */
  wer: number;
  cer: number;
  words: number;
  substitutions: number;
  deletions: number;
  insertions: number;
  utterances: EvaluatedUtterance[];
}

export interface EvaluateOptions {
  batchSeconds?: number;
  /** Prefixes of the beam search, 16 when left out; 1 decodes greedily. */
  beamWidth?: number | undefined;
  onProgress?: (done: number, total: number) => void;
}

export interface EvaluateModelOptions extends EvaluateOptions, LoadCtcOptions {
  /** Directory in LibriSpeech layout. */
  data: string;
  split: string;
}

/**
 * Error rates of a model on a split of a LibriSpeech-layout directory.
 *
 * @param nameOrDirectory model directory or Hub id
 */
export async function evaluateModel(
  nameOrDirectory: string,
  { data, split, ...options }: EvaluateModelOptions,
): Promise<Evaluation> {
  const utterances = await readLibriSpeech(data, split);
  const { evaluation } = await evaluate(await loadCtcModel(nameOrDirectory, options), utterances, options);
  return evaluation;
}

/**
 * Error rates on utterances, with the share of frames whose likeliest token is the blank and the mean CTC loss
 * of an utterance (of those that are long enough for their labels).
 *
 * @param clips where decoded clips are kept for another evaluation
 */
export async function evaluate(
  ctc: CtcModel,
  utterances: readonly TranscribedUtterance[],
  { batchSeconds = BATCH_SECONDS, beamWidth, onProgress }: EvaluateOptions = {},
  clips = new ClipCache(),
): Promise<{ evaluation: Evaluation; blankShare: number; ctcLoss: number }> {
  const { model } = ctc;
  const preparation = { ...ctc, config: model.config, unknown: "token", clips } as const;
  const hypotheses = new Map<string, string>();
  let [blanks, frames, loss, losses] = [0, 0, 0, 0];
  const wasTraining = model.training;
  model.eval();
  try {
    for (const indices of lengthBucketedBatches(utterances, { batchSeconds, seed: 0, epoch: 0 })) {
      await turn(); // so that Ctrl+C is heard also where all clips are in memory
      const batch = await prepareBatch(
        indices.map((index) => utterances[index]!),
        preparation,
      );
      const recognized = recognizeBatch(ctc, batch, beamWidth);
      for (const [row, id] of batch.ids.entries()) hypotheses.set(id, recognized.texts[row]!);
      blanks += recognized.blanks;
      frames += recognized.frames;
      for (const value of recognized.losses.filter(Number.isFinite)) {
        loss += value;
        losses++;
      }
      onProgress?.(hypotheses.size, utterances.length);
    }
  } finally {
    model.train(wasTraining);
  }
  const evaluation = score(utterances, hypotheses);
  return { evaluation, blankShare: frames ? blanks / frames : 0, ctcLoss: losses ? loss / losses : 0 };
}

/** Transcripts of a batch, in its order, and each clip's CTC loss. */
function recognizeBatch(
  { model, tokenizer }: { model: CtcModel["model"]; tokenizer: CtcTokenizer },
  batch: CtcBatch,
  beamWidth: number | undefined,
): { texts: string[]; blanks: number; frames: number; losses: number[] } {
  return noGrad(() =>
    scope(() => {
      const { logits, frames } = scoreBatch(model, batch);
      const vocabulary = model.config.vocabSize;
      const rows = frames.map((count, row) => logits.select(0, row).narrow(0, 0, count));
      const decoded = rows.map((row, i) =>
        decodeCtc(row.toFloat32Array(), frames[i]!, vocabulary, model.config.padTokenId, beamWidth),
      );
      return {
        texts: decoded.map(({ labels }) => tokenizer.decode(labels, { groupTokens: false })),
        blanks: decoded.reduce((sum, { blankShare }, i) => sum + blankShare * frames[i]!, 0),
        frames: frames.reduce((sum, count) => sum + count, 0),
        losses: model.losses(logits, frames, batch).toArray(),
      };
    }),
  );
}

function score(
  utterances: readonly TranscribedUtterance[],
  hypotheses: ReadonlyMap<string, string>,
): Evaluation {
  const rate = new ErrorRate();
  const evaluated = utterances.map(({ id, text }) => {
    const hypothesis = hypotheses.get(id)!;
    rate.add(text, hypothesis);
    return { id, reference: text, hypothesis };
  });
  const { wer, cer, words, substitutions, deletions, insertions } = rate;
  return { wer, cer, words, substitutions, deletions, insertions, utterances: evaluated };
}
