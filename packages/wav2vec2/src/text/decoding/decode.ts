import { greedyDecode } from "./greedy.js";
import { beamDecode } from "./prefix-beam.js";

/**
 * Prefixes of the beam search where nothing else is said. Labels of uncertain place, such as the space in a pause,
 * are often spread over frames and lost by greedy decoding.
 */
export const DEFAULT_BEAM_WIDTH = 16;

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
  beamWidth = DEFAULT_BEAM_WIDTH,
): { labels: Int32Array; blankShare: number } {
  const greedy = greedyDecode(logits, frames, vocabularySize, blankId);
  if (beamWidth === 1) return greedy;
  return { ...greedy, labels: beamDecode(logits, frames, vocabularySize, blankId, beamWidth) };
}
