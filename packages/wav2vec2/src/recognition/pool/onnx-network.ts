import { loadOnnxRecognizer } from "../load-onnx-recognizer.js";
import type { ThreadModel } from "./messages.js";
import type { PoolNetwork } from "./pool-network.js";

/**
 * What `export` wrote, by onnxruntime. Windows are computed one by one: together they are no faster on the processor, and a
 * batch of a network without a mask must be of one length.
 */
export async function openOnnxNetwork(
  { directory, language, dtype }: Extract<ThreadModel, { kind: "exported" }>,
  threads: number,
): Promise<PoolNetwork> {
  // The pool itself makes the decoders.
  const { scorer, tokenizer } = await loadOnnxRecognizer(directory, {
    language,
    dtype,
    threads,
    beamWidth: 1,
  });
  const { config, normalize } = scorer;
  return {
    tokenizer,
    config,
    normalize,
    scoreWindows: async (windows) => {
      const scores = [];
      for (const window of windows) scores.push(await scorer.score(window));
      return scores;
    },
    mostWindows: 1,
  };
}
