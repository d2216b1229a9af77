import { SAMPLE_RATE } from "../../audio/sample-rate.js";
import { inTurns } from "../../in-turns.js";
import { alignmentSteps } from "../../text/alignment/forced-alignment.js";
import { timedWords } from "../../text/alignment/word-times.js";
import { seconds } from "../../text/formats/rounding.js";
import type { Transcript } from "../../text/formats/transcript.js";
import type { CtcTokenizer } from "../../text/tokenizer.js";
import type { Piece } from "./pieces.js";

interface TranscriptOptions {
  /** Whether words are wanted, with their times. */
  words: boolean;
  signal?: AbortSignal | undefined;
  secondsPerFrame: number;
}

/**
 * What was said in a piece. Times are those of the likeliest alignment of its labels to its emissions, so that they do
 * not depend on how these were decoded.
 *
 * @throws the signal's reason where it is aborted
 */
export async function transcriptOf(
  tokenizer: CtcTokenizer,
  { hypothesis, emissions, firstFrame, length }: Piece,
  { words, signal, secondsPerFrame }: TranscriptOptions,
): Promise<Transcript> {
  const { text, labels } = hypothesis;
  const start = seconds(firstFrame * secondsPerFrame);
  const end = seconds(
    length === undefined ? (firstFrame + emissions.frames) * secondsPerFrame : length / SAMPLE_RATE,
  );
  if (!words || labels.length === 0) return { text, start, end, words: [] };
  const { size, blankId } = tokenizer.vocabulary;
  const steps = alignmentSteps(emissions.logits, emissions.frames, size, blankId, labels);
  const { spans } = await inTurns(steps, signal);
  const range = { secondsPerFrame, startSeconds: start, endSeconds: end };
  return { text, start, end, words: timedWords(tokenizer, labels, spans, range) };
}
