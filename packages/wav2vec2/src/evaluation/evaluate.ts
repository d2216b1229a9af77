import { setImmediate as turn } from "node:timers/promises";
import { noGrad, scope } from "@wav2vec2/libtorch";
import { type BatchLimits, lengthBucketedBatches } from "../data/batches/batches.js";
import type { CtcBatch } from "../data/batches/ctc-collator.js";
import { type BatchLoadOptions, batchWorkers } from "../data/batches/load-batches.js";
import { readSplit } from "../data/corpus/read-split.js";
import type { TranscribedUtterance } from "../data/utterance.js";
import { UserError } from "../errors.js";
import { type CtcModel, type LoadCtcOptions, loadCtcModel } from "../pretrained/ctc-directory.js";
import { batchLimits, ctcBatches, scoreBatch } from "../recognition/ctc-batches.js";
import { decodeCtc } from "../text/decoding/decode.js";
import { ErrorRate } from "../text/scoring/error-rate.js";
import type { CtcTokenizer } from "../text/tokenizer.js";

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

export interface EvaluateOptions extends BatchLimits, BatchLoadOptions {
  /** Prefixes of the beam search, 16 when left out; 1 decodes greedily. */
  beamWidth?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: (done: number, total: number) => void;
}

export interface EvaluateModelOptions extends BatchLimits, LoadCtcOptions {
  /** Directory in LibriSpeech layout, or another corpus that `readCorpus` knows. */
  data: string;
  /** All of a manifest or folder when left out. */
  split?: string | undefined;
  beamWidth?: number | undefined;
  /** Whether clips that cannot be used end the evaluation or are left out and listed. Default: error */
  onBadData?: "error" | "skip" | undefined;
  onProgress?: (done: number, total: number) => void;
}

/** Clips that could not be used. */
export interface SkippedClip {
  id: string;
  message: string;
}

/**
 * Error rates of a model on a split of a corpus.
 *
 * @param nameOrDirectory model directory or Hub id
 * @returns `skipped` holds what could not be used, where `onBadData` is skip
 */
export async function evaluateModel(
  nameOrDirectory: string,
  { data, split, onBadData, ...options }: EvaluateModelOptions,
): Promise<Evaluation & { skipped: SkippedClip[] }> {
  const { utterances, problems } = await readSplit(data, split, { onProblem: onBadData });
  const skipped: SkippedClip[] = problems.map(({ id, message }) => ({ id, message }));
  const onBad = ({ id, message }: SkippedClip) => void skipped.push({ id, message });
  const ctc = await loadCtcModel(nameOrDirectory, options);
  const workers = batchWorkers(1);
  try {
    const loading = { workers, onBadAudio: onBadData, onBad };
    const { evaluation } = await evaluate(ctc, utterances, {
      ...options,
      ...loading,
    });
    return { ...evaluation, skipped };
  } finally {
    await workers.close();
  }
}

/**
 * Error rates on utterances, with the share of frames whose likeliest token is the blank and the mean CTC loss
 * of an utterance (of those that are long enough for their labels).
 *
 * @throws the signal's reason where it is aborted
 */
export async function evaluate(
  ctc: CtcModel,
  utterances: readonly TranscribedUtterance[],
  { batchSeconds, batchSize, beamWidth, signal, onProgress, ...loading }: EvaluateOptions = {},
): Promise<{ evaluation: Evaluation; blankShare: number; ctcLoss: number }> {
  const { model } = ctc;
  const hypotheses = new Map<string, string>();
  let [blanks, frames, loss, losses] = [0, 0, 0, 0];
  const limits = batchLimits({ batchSeconds, batchSize }, BATCH_SECONDS);
  const plan = lengthBucketedBatches(utterances, { ...limits, seed: 0, epoch: 0 }).map((indices, batch) => ({
    epoch: 0,
    batch,
    indices,
  }));
  const wasTraining = model.training;
  model.eval();
  try {
    for await (const batch of ctcBatches(ctc, utterances, plan, { ...loading, unknown: "token" })) {
      await turn(); // so that Ctrl+C is heard also where the next batch is always there
      signal?.throwIfAborted();
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
  if (hypotheses.size === 0) throw new UserError("The clips to evaluate on must be readable, but none is.");
  const heard = utterances.filter(({ id }) => hypotheses.has(id));
  const evaluation = score(heard, hypotheses);
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
