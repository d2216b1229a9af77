import { resolveDecodingOptions } from "./decoding-options.js";
import { greedyDecode } from "./greedy.js";
import { PrefixBeam } from "./prefix-beam.js";

/**
 * The labels of one utterance and its share of frames whose likeliest token is the blank.
 *
 * @param logits [frames * vocabularySize], row by row
 * @param beamWidth 1 decodes greedily, as Hugging Face's processor does
 */
export function decodeCtc(
  logits: Float32Array,
  frames: number,
  vocabularySize: number,
  blankId: number,
  beamWidth?: number,
): { labels: Int32Array; blankShare: number } {
  if (beamWidth === 1) return greedyDecode(logits, frames, vocabularySize, blankId);
  const tokens = { size: vocabularySize, blankId, delimiterId: undefined };
  const search = new PrefixBeam(tokens, resolveDecodingOptions({ beamWidth }), undefined);
  search.push(logits, frames);
  return { labels: search.best().labels, blankShare: search.blankShare };
}
