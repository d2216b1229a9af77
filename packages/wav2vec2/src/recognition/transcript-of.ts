import { SAMPLE_RATE } from "../audio/audio-file.js";
import { forcedAlignment } from "../text/alignment/forced-alignment.js";
import { timedWords } from "../text/alignment/word-times.js";
import type { Transcript } from "../text/formats/transcript.js";
import type { CtcTokenizer } from "../text/tokenizer.js";
import type { Piece } from "./pieces.js";

/**
 * What was said in a piece. Times are those of the likeliest alignment of its labels to its emissions, so that they do
 * not depend on how these were decoded.
 *
 * @param options.times whether words are wanted
 */
export function transcriptOf(
  tokenizer: CtcTokenizer,
  { hypothesis, emissions, firstFrame, length }: Piece,
  { times, secondsPerFrame }: { times: boolean; secondsPerFrame: number },
): Transcript {
  const { text, labels } = hypothesis;
  const start = firstFrame * secondsPerFrame;
  const end = length === undefined ? start + emissions.frames * secondsPerFrame : length / SAMPLE_RATE;
  if (!times || labels.length === 0) return { text, start, end, words: [] };
  const { size, blankId } = tokenizer.vocabulary;
  const { spans } = forcedAlignment(emissions.logits, emissions.frames, size, blankId, labels);
  const range = { secondsPerFrame, startSeconds: start, endSeconds: end };
  return { text, start, end, words: timedWords(tokenizer, labels, spans, range) };
}
