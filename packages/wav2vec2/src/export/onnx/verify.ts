import { noGrad, scope, tensor } from "@wav2vec2/libtorch";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import { normalize } from "../../audio/normalize.js";
import { padClips } from "../../data/batches/pad-clips.js";
import { Random } from "../../data/random.js";
import { UserError } from "../../errors.js";
import { minimumSamples, samplesPerFrame } from "../../model/lengths.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import { greedyDecode } from "../../text/decoding/greedy.js";
import type { OnnxEngine } from "./onnx-engine.js";

/** A clip to compare with. */
export interface NamedClip {
  name: string;
  /** Mono at 16 kHz. */
  samples: Float32Array;
}

/** What an input gave in both engines. */
export interface Comparison {
  name: string;
  /** Of the longest clip. */
  seconds: number;
  /** The largest difference of a logit in clips' own frames. */
  difference: number;
  /** Whether the likeliest tokens spell the same text. */
  sameText: boolean;
}

interface Input {
  name: string;
  clips: readonly Float32Array[];
}

/** What a comparison may be told. */
export interface ComparisonOptions {
  /** The longest made-up clip, seconds. */
  longest: number;
  /** Gets each result as it is there. */
  onCompared?: ((result: Comparison) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Compares an exported network with its model: made-up clips from one frame to `longest` seconds, silence, a batch, and the
 * clips that are given.
 *
 * @throws UserError where the numbers of frames differ
 * @throws the signal's reason where it is aborted
 */
export async function compareEngines(
  ctc: CtcModel,
  engine: OnnxEngine,
  clips: readonly NamedClip[],
  { longest, onCompared, signal }: ComparisonOptions,
): Promise<Comparison[]> {
  const results: Comparison[] = [];
  for (const input of [...edges(ctc.model, engine, longest), ...named(clips, ctc.normalize)]) {
    signal?.throwIfAborted();
    const result = await compareInput(ctc, engine, input);
    onCompared?.(result);
    results.push(result);
  }
  return results;
}

async function compareInput(ctc: CtcModel, engine: OnnxEngine, { name, clips }: Input): Promise<Comparison> {
  const lengths = clips.map(({ length }) => length);
  const longest = Math.max(...lengths);
  const samples = padClips(clips, longest); // [clips * longest]
  const theirs = await engine.run(samples, lengths);
  const ours = scores(ctc, samples, lengths);
  if (theirs.frames !== ours.time)
    throw new UserError(
      `The exported network must give ${ours.time} frames of ${name}, but gives ${theirs.frames}. Report this with the ` +
        "model's config.json.",
    );
  const tokens = ours.logits.length / (clips.length * ours.time);
  const pairs = ours.frames.map((count, row) =>
    [ours.logits, theirs.logits].map((logits) =>
      logits.subarray(row * ours.time * tokens, (row * ours.time + count) * tokens),
    ),
  ) as [Float32Array, Float32Array][];
  const difference = Math.max(...pairs.map(([one, other]) => largestDifference(one, other)));
  const texts = pairs.map(([one]) => greedyText(ctc, one));
  return {
    name,
    seconds: longest / SAMPLE_RATE,
    difference,
    // What is no number has no text.
    sameText:
      Number.isFinite(difference) && pairs.every(([, other], row) => texts[row] === greedyText(ctc, other)),
  };
}

/** The model's own, in libtorch. */
function scores({ model }: CtcModel, samples: Float32Array, lengths: readonly number[]) {
  return noGrad(() =>
    scope(() => {
      const input = tensor(samples, [lengths.length, samples.length / lengths.length]);
      const { logits, frames } = model.forward({ input, lengths });
      return { logits: logits.toFloat32Array(), time: logits.shape[1]!, frames };
    }),
  );
}

function greedyText({ tokenizer }: CtcModel, logits: Float32Array): string {
  const { size, blankId } = tokenizer.vocabulary;
  const { labels } = greedyDecode(logits, logits.length / size, size, blankId);
  return tokenizer.decode(labels, { groupTokens: false });
}

function* edges({ config }: CtcModel["model"], engine: OnnxEngine, longest: number): Generator<Input> {
  const random = new Random(1, "export");
  const noise = (samples: number) =>
    normalize(Float32Array.from({ length: samples }, () => random.uniform() - 0.5));
  const least = minimumSamples(config);
  yield { name: "one frame", clips: [noise(least)] };
  yield {
    name: "one frame and a sample less than the next",
    clips: [noise(least + samplesPerFrame(config) - 1)],
  };
  for (const seconds of new Set([1, 10, longest]))
    if (seconds <= longest) yield { name: `noise, ${seconds} s`, clips: [noise(seconds * SAMPLE_RATE)] };
  yield { name: "silence", clips: [new Float32Array(2 * SAMPLE_RATE)] };
  const lengths = engine.takesMask ? [3 * SAMPLE_RATE, least, SAMPLE_RATE + 123] : [30_000, 30_000, 30_000];
  yield { name: engine.takesMask ? "a padded batch" : "a batch", clips: lengths.map(noise) };
}

function named(clips: readonly NamedClip[], normalizes: boolean): Input[] {
  return clips.map(({ name, samples }) => ({ name, clips: [normalizes ? normalize(samples) : samples] }));
}

/** Infinite where one is no number. */
export function largestDifference(one: Float32Array, other: Float32Array): number {
  let largest = 0;
  for (const [place, value] of one.entries()) {
    const difference = Math.abs(value - other[place]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}
