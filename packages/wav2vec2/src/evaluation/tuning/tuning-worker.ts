import type { Watched } from "../../data/worker-pool.js";
import { type DecodingChoice, makeDecoder } from "../../recognition/transcript/decoding-choice.js";
import { CtcDecoder } from "../../text/decoding/ctc-decoder.js";
import { ErrorRate } from "../../text/scoring/error-rate.js";
import { CtcTokenizer } from "../../text/tokenizer.js";
import type { TokenizerChoice } from "../../text/tokenizer-files.js";
import type { DecodingWeights } from "./tune-decoding.js";

/** Clips to decode with some weights. */
export interface TuningJob extends Watched {
  /** Where the tokenizer is. */
  directory: string;
  tokenizer: TokenizerChoice;
  choice: DecodingChoice;
  weights: DecodingWeights;
  /** [all frames * vocabulary], clip behind clip, over shared memory. */
  logits: Float32Array;
  /** Each clip's own frames. */
  frames: readonly number[];
  references: readonly string[];
}

/** The language model is read once a thread. */
let loaded: Promise<CtcDecoder> | undefined;

/** What threads run: the error rates of weights. */
export default async function measureWeights(job: TuningJob): Promise<{ wer: number; cer: number }> {
  loaded ??= load(job);
  const { tokenizer, options } = await loaded;
  const decoder = new CtcDecoder(tokenizer, { ...options, ...job.weights });
  const rate = new ErrorRate();
  let row = 0;
  for (const [clip, frames] of job.frames.entries()) {
    const { size } = tokenizer.vocabulary;
    const { text } = decoder.decode(job.logits.subarray(row * size, (row + frames) * size), frames);
    rate.add(job.references[clip]!, text);
    row += frames;
  }
  return { wer: rate.wer, cer: rate.cer };
}

async function load({ directory, tokenizer, choice }: TuningJob): Promise<CtcDecoder> {
  return await makeDecoder(await CtcTokenizer.read(directory, tokenizer), choice);
}
