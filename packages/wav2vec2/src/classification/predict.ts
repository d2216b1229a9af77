import { noGrad, scope, type Tensor } from "@wav2vec2/libtorch";
import { type Kind, requireArguments, SAMPLES, TEXTS } from "../argument-kinds.js";
import { collateCtc } from "../data/batches/ctc-collator.js";
import { UserError } from "../errors.js";
import { Wav2Vec2ForAudioFrameClassification } from "../model/heads/audio-frame-classification.js";
import { taskOfModel } from "../model/heads/classification-task.js";
import { Wav2Vec2ForXVector } from "../model/heads/xvector.js";
import { computeIn } from "../precision/compute-in.js";
import { clipSamples } from "../recognition/clip-samples.js";
import { requireFiniteWeights } from "../recognition/emissions/finite-weights.js";
import { type ClipBatch, inputOf } from "./classifier-batches.js";
import type { Classifier } from "./classifier-directory.js";
import { CLASSIFIER } from "./classifier-kind.js";
import { CLASSIFICATION_TASKS } from "./tasks.js";

/** What a model says of a clip. */
export interface Prediction {
  /**
   * For each label: its probability; of a speaker the cosine, from -1 to 1; with labels of frames [frames * labels], row by
   * row
   */
  scores: Float32Array;
  /** Of the network's output; 1 where the clip has one label. */
  frames: number;
  /** What tells the speaker. */
  embedding?: Float32Array;
}

/**
 * What a model says of the clips of a batch, in its order.
 *
 * @throws UserError where it is no numbers, naming the weights that are to blame
 */
export function predictBatch(
  classifier: Classifier,
  batch: Pick<ClipBatch, "ids" | "input" | "paddedLength" | "lengths">,
): Prediction[] {
  const { model, precision = "float32" } = classifier;
  return noGrad(() =>
    scope(() => {
      const input = inputOf(classifier, batch);
      if (model instanceof Wav2Vec2ForXVector) {
        const { logits, embeddings } = computeIn(precision, model.device, () => model.forward(input));
        const [scores, vectors] = [rows(model.scores(float32(logits))), rows(float32(embeddings))];
        return finite(
          classifier,
          batch,
          vectors.map((embedding, row) => ({ scores: scores[row]!, frames: 1, embedding })),
        );
      }
      const { logits: output, frames } = computeIn(precision, model.device, () => model.forward(input));
      const logits = float32(output);
      if (!(model instanceof Wav2Vec2ForAudioFrameClassification))
        return finite(
          classifier,
          batch,
          rows(logits.softmax(1)).map((scores) => ({ scores, frames: 1 })),
        );
      const all = rows(model.multiLabel ? logits.sigmoid() : logits.softmax(2)); // [frames * labels] each
      const labels = model.labels.length;
      return finite(
        classifier,
        batch,
        all.map((scores, row) => ({ scores: scores.slice(0, frames[row]! * labels), frames: frames[row]! })),
      );
    }),
  );
}

function float32(values: Tensor): Tensor {
  return values.to({ dtype: "float32" });
}

/** Of [batch, ...] the values of each clip. */
function rows(values: { toFloat32Array(): Float32Array; shape: readonly number[] }): Float32Array[] {
  const [batch = 0] = values.shape;
  const all = values.toFloat32Array();
  const width = all.length / batch;
  return Array.from({ length: batch }, (_, row) => all.slice(row * width, (row + 1) * width));
}

function finite(
  { model }: Classifier,
  { ids }: Pick<ClipBatch, "ids">,
  predictions: Prediction[],
): Prediction[] {
  const isBad = ({ scores, embedding }: Prediction) =>
    !scores.every(Number.isFinite) || embedding?.every(Number.isFinite) === false;
  const bad = predictions.findIndex(isBad);
  if (bad < 0) return predictions;
  requireFiniteWeights(model);
  throw new UserError(
    `The model's scores must be finite numbers, but those of ${ids[bad]} are not. Its weights are finite: train with a lower ` +
      "learning rate.",
  );
}

/**
 * What a model says of samples in memory, mono at 16 kHz. The model is set to evaluation meanwhile.
 *
 * @throws UserError for samples that are none, or not finite
 */
export function predictSamples(classifier: Classifier, samples: Float32Array, name = "samples"): Prediction {
  requireArguments("predictSamples", { classifier: [classifier, CLASSIFIER], samples: [samples, SAMPLES] });
  const { model, normalize } = classifier;
  const least = CLASSIFICATION_TASKS[taskOfModel(model)].minimumSamples(model.config);
  const prepared = clipSamples(samples, name, normalize);
  const item = { id: name, samples: prepared, labels: new Int32Array(0) };
  const wasTraining = model.training;
  model.eval();
  try {
    return predictBatch(classifier, collateCtc([item], { minimumSamples: least }))[0]!;
  } finally {
    model.train(wasTraining);
  }
}

const SCORES: Kind = {
  must: "a Float32Array of a score for each label",
  holds: (value) => value instanceof Float32Array || (Array.isArray(value) && value.every(Number.isFinite)),
};

/** The labels of a clip with their scores, the likeliest first. */
export function rankLabels(
  labels: readonly string[],
  scores: Float32Array,
): { label: string; score: number }[] {
  requireArguments("rankLabels", { labels: [labels, TEXTS], scores: [scores, SCORES] });
  return Array.from(scores, (score, id) => ({ label: labels[id]!, score })).sort((a, b) => b.score - a.score);
}

/**
 * Which labels each frame is given: where it may have several, those likelier to be there than not, else the likeliest.
 *
 * @returns [frames * labels] of 0 and 1, row by row
 */
export function chooseFrameLabels(
  model: Wav2Vec2ForAudioFrameClassification,
  { scores, frames }: Prediction,
): Uint8Array {
  if (model.multiLabel) return Uint8Array.from(scores, (score) => Number(score > 0.5));
  const labels = model.labels.length;
  const chosen = new Uint8Array(scores.length);
  for (let frame = 0; frame < frames; frame++) {
    const own = scores.subarray(frame * labels, (frame + 1) * labels);
    chosen[frame * labels + own.indexOf(own.reduce((a, b) => Math.max(a, b)))] = 1;
  }
  return chosen;
}
