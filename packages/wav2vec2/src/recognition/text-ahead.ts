import type { Hypothesis } from "../text/decoding/ctc-decoder.js";
import type { CtcTokenizer } from "../text/tokenizer.js";
import type { Emissions } from "./ctc-batches.js";
import { likeliest } from "./likeliest.js";

/**
 * The text so far with what is only just heard: the likeliest tokens of frames that a later window will score again, so
 * that words are shown while they are said. The decoder is not told of them.
 *
 * @param last [vocabulary] of the last frame that the decoder has, whose label may go on
 */
export function textAhead(
  tokenizer: CtcTokenizer,
  { labels }: Pick<Hypothesis, "labels">,
  last: Float32Array | undefined,
  ahead: Emissions,
): string {
  const { blankId } = tokenizer.vocabulary;
  const all = [...labels];
  const width = ahead.frames === 0 ? 0 : ahead.logits.length / ahead.frames;
  let previous = last === undefined ? -1 : likeliest(last);
  for (let frame = 0; frame < ahead.frames; frame++) {
    const best = likeliest(ahead.logits.subarray(frame * width, (frame + 1) * width));
    if (best !== blankId && best !== previous) all.push(best);
    previous = best;
  }
  return tokenizer.decode(all, { groupTokens: false });
}
