import { crossEntropyLoss, nn, stack, type Tensor, tensor, zeros } from "@wav2vec2/libtorch";
import { ConfigurationError, UserError } from "../../errors.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { initializeWeights } from "../initialization.js";
import type { FeatureInput, InnerStates, ModelInput } from "../wav2vec2-model.js";
import { ModelWithLayerSum } from "./layer-sum.js";

export interface FrameClassifierOutput extends InnerStates {
  /** A score for each label of each frame, before softmax or sigmoid, [batch, frames, labels] */
  logits: Tensor;
  /** Each clip's own frames. */
  frames: number[];
}

/** What crossEntropyLoss leaves out. */
const IGNORED = -100;

/**
 * Labels for every frame, such as who speaks when: one linear layer. Hugging Face:
 * `Wav2Vec2ForAudioFrameClassification`.
 */
export class Wav2Vec2ForAudioFrameClassification extends ModelWithLayerSum {
  classifier: nn.Linear;

  /** @throws ConfigurationError with `add_adapter`, and for the problem type regression */
  constructor(config: Wav2Vec2Config) {
    super(config);
    if (config.problemType === "regression") {
      throw new ConfigurationError(
        "problem_type must be single_label_classification or multi_label_classification for labels of frames, but is " +
          "regression. Leave it out for one label a frame.",
      );
    }
    this.classifier = new nn.Linear(config.hiddenSize, config.id2label.length);
    initializeWeights(this.classifier, config);
  }

  /** Whether a frame may have several labels, or none: `problem_type: multi_label_classification`. */
  get multiLabel(): boolean {
    return this.config.problemType === "multi_label_classification";
  }

  /** @throws UserError as `Wav2Vec2Model.forward` */
  forward(input: ModelInput | FeatureInput): FrameClassifierOutput {
    const { hidden, ...output } = this.hiddenOf(input); // [batch, frames, width]
    return { logits: this.classifier.forward(hidden), ...output }; // [batch, frames, labels]
  }

  /**
   * With one label a frame the cross entropy, as Hugging Face has it: the mean over frames, where a frame's label is the
   * first that its row has. With `multi_label_classification` the binary cross entropy, the mean over frames and labels.
   * Padding does not count, and neither does a frame without a label where there is one a frame; with `referencePadding`
   * both do, as for Hugging Face, which takes a frame without a label for one of the first.
   *
   * @param targets 1 where a frame has a label, else 0: [batch, frames, labels] of the batch, row by row
   * @throws UserError for targets of another shape, other numbers than 0 and 1, and where no frame counts
   */
  loss(logits: Tensor, frames: readonly number[], targets: Uint8Array): Tensor {
    const { sum, count } = this.summedLoss(logits, frames, targets);
    return sum.div(count);
  }

  /** The same as a sum over what counts (frames, with several labels a frame frames times labels), and its number. */
  summedLoss(logits: Tensor, frames: readonly number[], targets: Uint8Array): { sum: Tensor; count: number } {
    const [batch, time, labels] = logits.shape as [number, number, number];
    requireTargets(targets, [batch, time, labels]);
    const counted = this.config.referencePadding ? frames.map(() => time) : frames;
    const { sum, count } = this.multiLabel
      ? binaryLosses(logits, counted, targets)
      : this.#crossEntropies(logits, counted, targets);
    if (count > 0) return { sum, count };
    throw new UserError(
      "Frames must have labels to learn from, but none has one. Give segments, or problem_type: multi_label_classification.",
    );
  }

  #crossEntropies(logits: Tensor, frames: readonly number[], targets: Uint8Array) {
    const [batch, time, labels] = logits.shape as [number, number, number];
    const unlabelled = this.config.referencePadding ? 0 : IGNORED;
    const ids = new Array<number>(batch * time).fill(IGNORED);
    let count = 0;
    for (const [row, own] of frames.entries())
      for (let frame = row * time; frame < row * time + own; frame++) {
        const first = targets.subarray(frame * labels, (frame + 1) * labels).indexOf(1);
        ids[frame] = first < 0 ? unlabelled : first;
        if (ids[frame] !== IGNORED) count++;
      }
    const target = tensor(ids, [ids.length], { dtype: "int64", device: logits.device });
    const flat = logits.reshape([batch * time, labels]);
    return { sum: crossEntropyLoss(flat, target, undefined, SUM, IGNORED), count };
  }
}

/** libtorch's at::Reduction */
const SUM = 2;

/** -log of the probability of each label's being there or not, summed over clips' own frames. */
function binaryLosses(logits: Tensor, frames: readonly number[], targets: Uint8Array) {
  const [batch, time, labels] = logits.shape as [number, number, number];
  const { device } = logits;
  const wanted = tensor(targets, [batch, time, labels], { dtype: "bool", device });
  const both = stack([logits, zeros(logits.shape, { device })], 3).logSoftmax(3, "float32"); // of 1 / (1 + e^-x), and the rest
  const [present, absent] = [both.select(3, 0), both.select(3, 1)]; // [batch, frames, labels]
  const likelihood = present.maskedFill(wanted.logicalNot(), 0).add(absent.maskedFill(wanted, 0));
  const rows = frames.map((own, row) => likelihood.select(0, row).narrow(0, 0, own).sum());
  const count = frames.reduce((sum, own) => sum + own, 0) * labels;
  return { sum: stack(rows).sum().neg(), count };
}

function requireTargets(targets: Uint8Array, shape: readonly number[]): void {
  const size = shape.reduce((product, length) => product * length);
  if (targets.length !== size) {
    throw new UserError(
      `Targets must have a value for each of [${shape.join(", ")}] (clips, frames, labels), ${size} in all, but have ` +
        `${targets.length}. Give labels as many as the head has, and frames as many as its output.`,
    );
  }
  const wrong = targets.find((value) => value > 1);
  if (wrong !== undefined)
    throw new UserError(`Targets must be 1 where a frame has a label and else 0, but one is ${wrong}.`);
}
