import { isTensor, type Tensor } from "@wav2vec2/libtorch";
import { describeType } from "../describe-type.js";
import { UserError } from "../errors.js";
import { adapterFrames, featureFrames, type Wav2Vec2Config } from "./configuration.js";
import { minimumSamples, validFrames } from "./lengths.js";

/** Each clip's own samples in a padded batch, as batches have them or as a list. */
export type Lengths = Int32Array | readonly number[];

/** What `forward` of the network itself takes. */
export const MODEL_INPUTS = [
  "input",
  "features",
  "lengths",
  "maskTimeIndices",
  "outputHiddenStates",
  "outputAttentions",
];

/** Names that other libraries have, and what stands for them here. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  attentionMask: "Use lengths, each clip's own samples",
  attention_mask: "Use lengths, each clip's own samples",
  inputValues: "Use input",
  input_values: "Use input",
  inputs: "Use input",
  labels: "Give them to the model's loss",
};

/**
 * Makes sure that a forward pass was given an object of what it knows.
 *
 * @param names of what this model takes
 * @throws UserError naming what it does not know, or that it got a tensor alone
 */
export function requireInputs(given: unknown, names: readonly string[] = MODEL_INPUTS): void {
  if (typeof given !== "object" || given === null || isTensor(given) || ArrayBuffer.isView(given))
    throw new UserError(
      `forward must be given an object such as { input, lengths }, but was given ${describeType(given)}. Call forward({ input }).`,
    );
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const hint = OTHER_NAMES[name] ?? `It takes ${names.join(", ")}`;
    throw new UserError(`forward knows no '${name}'. ${hint}.`);
  }
  if (!("features" in given) && !("input" in given && given.input !== undefined))
    throw new UserError("forward must be given input, [batch, samples], but it is missing.");
}

/** @throws UserError where what should be a tensor is something else */
export function requireTensor(value: unknown, name: string, shape: string): void {
  if (isTensor(value)) return;
  throw new UserError(
    `${name} must be a Tensor ${shape}, but is ${describeType(value)}. Make one with tensor(values, [batch, …]).`,
  );
}

/** @throws UserError unless lengths are a list of numbers */
function requireLengths(lengths: unknown): void {
  if (lengths instanceof Int32Array || Array.isArray(lengths)) return;
  throw new UserError(
    `lengths must be an Int32Array or an array of numbers, each clip's own samples, but are ${describeType(lengths)}.`,
  );
}

/**
 * Each clip's own samples and frames of the feature encoder, and the frames `time` of the padded batch, once the input is what a network can take.
 *
 * NaN and infinity are looked for where that is cheap: in the CPU's memory, and not in training, where the loss tells.
 *
 * @throws UserError for another rank than [batch, samples], lengths that do not fit, clips too short for one frame,
 * and samples that are no finite numbers
 */
export function checkInput(
  input: Tensor,
  lengths: Lengths | undefined,
  config: Wav2Vec2Config,
  training: boolean,
): { lengths: readonly number[]; frames: number[]; time: number } {
  requireTensor(input, "input", "[batch, samples]");
  const shape = `[${input.shape.join(", ")}]`;
  if (input.shape.length === 3) {
    throw new UserError(
      `input must be [batch, samples] of one channel, but is ${shape}. Mix the channels down first.`,
    );
  }
  if (input.shape.length !== 2) {
    throw new UserError(
      `input must be [batch, samples], but is ${shape}. Add the dimension that is missing.`,
    );
  }
  const [batch, samples] = input.shape as [number, number];
  if (!["float32", "bfloat16", "float16", "float64"].includes(input.dtype)) {
    throw new UserError(
      `input must be of floating point, but is ${input.dtype}. Scale integers to [-1, 1) first.`,
    );
  }
  if (batch === 0) throw new UserError("input must hold at least one clip, but holds none.");
  if (lengths !== undefined) requireLengths(lengths);
  const own = lengths ? Array.from(lengths) : Array<number>(batch).fill(samples);
  if (own.length !== batch) {
    throw new UserError(`lengths must have one value for each of the ${batch} clips, but has ${own.length}.`);
  }
  const frames = validFrames(config, own);
  for (const [clip, length] of own.entries()) {
    if (!Number.isInteger(length) || length > samples) {
      throw new UserError(
        `lengths must be whole numbers of at most ${samples}, the input's samples, but clip ${clip} has ${length}.`,
      );
    }
    if (adapterFrames(config, frames[clip]!) === 0) {
      throw new UserError(
        `Clips must have at least ${minimumSamples(config)} samples, which make one frame, but clip ${clip} has ` +
          `${length}. Pad it with zeros.`,
      );
    }
  }
  if (!training && input.device === "cpu" && !Number.isFinite(input.sum().item())) requireFinite(input);
  return { lengths: own, frames, time: featureFrames(config, samples) };
}

/**
 * Each clip's own frames of features in place of samples.
 *
 * @throws UserError where they are no [batch, frames, channels] of so many clips and of frames for the longest
 */
export function checkFeatures(features: Tensor, lengths: Lengths, config: Wav2Vec2Config): number[] {
  requireTensor(features, "features", "[batch, frames, channels]");
  requireLengths(lengths);
  const frames = validFrames(config, Array.from(lengths));
  const shape = [lengths.length, Math.max(...frames), config.convDim.at(-1)!];
  const given = features.shape;
  if (given.length !== 3 || given[0] !== shape[0] || given[1]! < shape[1]! || given[2] !== shape[2]) {
    throw new UserError(
      `features must be [${shape.join(", ")}] for these lengths, or of more frames, but are [${given.join(", ")}]. Give ` +
        "what encode makes of them.",
    );
  }
  const short = frames.findIndex((count) => adapterFrames(config, count) === 0);
  if (short < 0) return frames;
  throw new UserError(
    `Clips must have at least ${minimumSamples(config)} samples, which make one frame, but clip ${short} has ` +
      `${lengths[short]}. Pad it with zeros.`,
  );
}

function requireFinite(input: Tensor): void {
  const values = input.toFloat32Array();
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return; // only the sum was too large
  const samples = input.shape[1]!;
  throw new UserError(
    `Samples must be finite numbers, but sample ${at % samples} of clip ${Math.floor(at / samples)} is ` +
      `${values[at]}. Check how the clip was decoded.`,
  );
}
