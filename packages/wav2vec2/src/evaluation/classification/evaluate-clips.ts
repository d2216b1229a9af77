import { setImmediate as turn } from "node:timers/promises";
import { clipBatches } from "../../classification/classifier-batches.js";
import type { Classifier } from "../../classification/classifier-directory.js";
import { type Prediction, predictBatch } from "../../classification/predict.js";
import { type BatchLimits, epochOfBatches, shareOfBatches } from "../../data/batches/batches.js";
import { type BatchLoadOptions, isEmpty } from "../../data/batches/load-batches.js";
import type { Utterance } from "../../data/utterance.js";
import { gatherParts } from "../../distributed/interrupted.js";
import { ALONE, type World } from "../../distributed/world.js";
import { UserError } from "../../errors.js";
import { batchLimits } from "../../recognition/emissions/ctc-batches.js";

const BATCH_SECONDS = 60;

export interface EvaluateClipsOptions extends BatchLimits, BatchLoadOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
  /** The processes that share the clips; all get the predictions of all clips. Default: this one alone */
  world?: World | undefined;
}

/** On its way between processes. */
interface SentPrediction {
  scores: number[];
  frames: number;
  embedding?: number[];
}

/**
 * What a classifier says of clips, with a model in memory, as training needs it.
 *
 * @returns the clips that could be read, in their order, each with what is said of it
 * @throws UserError where none can be read, and where what is said is no numbers
 * @throws the signal's reason where it is aborted meanwhile
 * @throws Interrupted where another process is asked to stop
 */
export async function predictClips<T extends Utterance>(
  classifier: Classifier,
  clips: readonly T[],
  { batchSeconds, batchSize, signal, onProgress, world = ALONE, ...loading }: EvaluateClipsOptions = {},
): Promise<{ clip: T; prediction: Prediction }[]> {
  const { model } = classifier;
  const limits = batchLimits({ batchSeconds, batchSize }, BATCH_SECONDS);
  const plan = epochOfBatches(clips, { ...limits, seed: 0, epoch: 0 });
  const predict = async () => {
    const own: [string, SentPrediction][] = [];
    for await (const batch of clipBatches(classifier, clips, shareOfBatches(plan, world), loading)) {
      await turn(); // so that Ctrl+C is noticed also where the next batch is always there
      signal?.throwIfAborted();
      if (isEmpty(batch)) continue;
      for (const [row, prediction] of predictBatch(classifier, batch).entries())
        own.push([batch.ids[row]!, sent(prediction)]);
      onProgress?.(Math.min(own.length * world.size, clips.length), clips.length);
    }
    return own;
  };
  const wasTraining = model.training;
  model.eval();
  try {
    const predictions = new Map((await gatherParts(world, signal, predict)).flat());
    if (predictions.size === 0)
      throw new UserError("The clips to evaluate on must be readable, but none is.");
    return clips.flatMap((clip) => {
      const prediction = predictions.get(clip.id);
      return prediction ? [{ clip, prediction: received(prediction) }] : [];
    });
  } finally {
    model.train(wasTraining);
  }
}

function sent({ scores, frames, embedding }: Prediction): SentPrediction {
  return { scores: [...scores], frames, ...(embedding && { embedding: [...embedding] }) };
}

function received({ scores, frames, embedding }: SentPrediction): Prediction {
  return {
    scores: Float32Array.from(scores),
    frames,
    ...(embedding && { embedding: Float32Array.from(embedding) }),
  };
}
