import { epochOfBatches } from "../../data/batches/batches.js";
import type { TranscribedUtterance } from "../../data/utterance.js";
import { encodable } from "../../evaluation/encodable.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import { ctcBatches } from "../../recognition/emissions/ctc-batches.js";
import { CtcDecoder } from "../../text/decoding/ctc-decoder.js";
import { ErrorRate } from "../../text/scoring/error-rate.js";
import type { OnnxEngine } from "./onnx-engine.js";
import { largestDifference } from "./verify.js";

/** What a file's network is worth on a split of a corpus, beside that in float32. */
export interface Accuracy {
  /** Word error rate, decoded as `evaluate` does by default. */
  wer: number;
  /** The same of the network in float32. */
  wer32: number;
  words: number;
  utterances: number;
  /** The largest difference of a logit from float32's. */
  difference: number;
  /** Share of frames whose likeliest token is another one. */
  changedFrames: number;
}

/** A clip as networks take it. */
export interface LabelledClip {
  /** Mono at 16 kHz. */
  samples: Float32Array;
  text: string;
}

/** Clips of a corpus, one after the other. @throws UserError where one cannot be read */
export async function* labelledClips(
  { model, tokenizer, normalize }: CtcModel,
  utterances: readonly TranscribedUtterance[],
): AsyncGenerator<LabelledClip & { count: number }> {
  const plan = epochOfBatches(utterances, { batchSize: 1, seed: 0, epoch: 0 });
  const texts = new Map(utterances.map(({ id, text }) => [id, text]));
  const labelled = encodable(utterances, tokenizer);
  for await (const { ids, input, lengths } of ctcBatches({ model, tokenizer, normalize }, labelled, plan, {
    training: false,
    unknown: "token",
  }))
    yield {
      samples: input.slice(0, lengths[0]),
      text: texts.get(ids[0]!)!,
      count: utterances.length,
    };
}

/**
 * Word error rates of several networks, each clip in all of them, one clip at a time.
 *
 * @param engines the first is that in float32
 * @returns for each of the others
 */
export async function measureAccuracy(
  { tokenizer }: CtcModel,
  clips: AsyncIterable<LabelledClip & { count: number }>,
  engines: readonly OnnxEngine[],
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal | undefined; onProgress?: ((done: number, total: number) => void) | undefined },
): Promise<Accuracy[]> {
  const decoder = new CtcDecoder(tokenizer);
  const tallies = engines.map(() => ({ rate: new ErrorRate(), difference: 0, changed: 0 }));
  let frames = 0;
  let done = 0;
  for await (const { samples, text, count } of clips) {
    let first: Float32Array | undefined;
    for (const [index, engine] of engines.entries()) {
      signal?.throwIfAborted();
      const scores = await engine.run(samples, [samples.length]);
      first ??= scores.logits;
      const tally = tallies[index]!;
      tally.rate.add(text, decoder.decode(scores.logits, scores.frames).text);
      tally.difference = Math.max(tally.difference, largestDifference(first, scores.logits));
      tally.changed += changedFrames(first, scores.logits, scores.frames);
      if (index === 0) frames += scores.frames;
    }
    onProgress?.(++done, count);
  }
  const [float, ...others] = tallies;
  return others.map(({ rate, difference, changed }) => ({
    wer: rate.wer,
    wer32: float!.rate.wer,
    words: rate.words,
    utterances: rate.utterances,
    difference,
    changedFrames: changed / frames,
  }));
}

function changedFrames(one: Float32Array, other: Float32Array, frames: number): number {
  const tokens = one.length / frames;
  const likeliest = (logits: Float32Array, frame: number) => {
    let best = frame * tokens;
    for (let place = best + 1; place < (frame + 1) * tokens; place++)
      if (logits[place]! > logits[best]!) best = place;
    return best;
  };
  let count = 0;
  for (let frame = 0; frame < frames; frame++) if (likeliest(one, frame) !== likeliest(other, frame)) count++;
  return count;
}
