import type { RecordingTranscript, Transcript } from "../../text/formats/transcript.js";
import { joinTexts } from "../../text/unspaced-scripts.js";

/**
 * The transcript of a recording of its pieces.
 *
 * @param open begins to give the pieces, and calls what it is given with the words of the unfinished one
 * @param onPartial gets all words so far
 */
export async function joinPieces(
  open: (onPartial: ((text: string) => void) | undefined) => AsyncIterable<Transcript>,
  onPartial: ((text: string) => void) | undefined,
): Promise<RecordingTranscript> {
  const segments: Transcript[] = [];
  const textOf = (last = "") => joinTexts([...segments.map(({ text }) => text), last]);
  for await (const segment of open(onPartial && ((text) => onPartial(textOf(text))))) segments.push(segment);
  return {
    text: textOf(),
    start: 0,
    end: segments.at(-1)?.end ?? 0,
    words: segments.flatMap(({ words }) => words),
    segments,
  };
}
