import { SAMPLE_RATE } from "../audio/audio-file.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { samplesPerFrame } from "../model/lengths.js";
import type { CtcModel } from "../pretrained/ctc-directory.js";
import type { CtcDecoder } from "../text/decoding/ctc-decoder.js";
import type { Transcript } from "../text/formats/transcript.js";
import { emissionsOf, FILE_WINDOWS, type ScoreWindow, type WindowSeconds } from "./emissions.js";
import { PauseFinder } from "./pauses.js";
import { decodePieces } from "./pieces.js";
import { transcriptOf } from "./transcript-of.js";

export interface RecognizeOptions {
  words?: boolean | undefined;
  windows?: WindowSeconds | undefined;
  name?: string | undefined;
  signal?: AbortSignal | undefined;
  onPartial?: ((text: string) => void) | undefined;
}

/**
 * From samples to transcripts, piece after piece.
 *
 * @param blocks mono at 16 kHz in order, in pieces of any size
 * @param score gives the network's scores of windows. Default: of each alone
 */
export async function* recognizeBlocks(
  ctc: CtcModel,
  decoder: CtcDecoder,
  blocks: AsyncIterable<Float32Array>,
  options: RecognizeOptions,
  score?: ScoreWindow,
): AsyncGenerator<Transcript> {
  const { words = false, signal, onPartial, windows = FILE_WINDOWS, name = "the recording" } = options;
  const emissions = emissionsOf(ctc, blocks, { ...windows, name, signal, score });
  const perFrame = secondsPerFrame(ctc.model.config);
  const pauses = new PauseFinder(ctc.tokenizer.vocabulary, perFrame);
  for await (const piece of decodePieces(emissions, decoder, pauses, { onPartial, signal }))
    yield await transcriptOf(ctc.tokenizer, piece, { words, signal, secondsPerFrame: perFrame });
}

export function secondsPerFrame(config: Wav2Vec2Config): number {
  return samplesPerFrame(config) / SAMPLE_RATE;
}
