import { cat, scope, type Tensor } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../configuration.js";
import { receptiveField, validFrames } from "../lengths.js";

/** Frames of a piece: 5.1 s for the published models, whose first convolution makes 34 MB of it. */
const PIECE = 256;

/**
 * Convolutions over a clip, a piece of its time after another. A frame depends on the samples below it alone, so pieces
 * that overlap by those give the same frames, and what lies between the layers is as large as a piece, however long the
 * clip is.
 *
 * @param clip [1, samples]
 * @param forward from [1, samples of a piece] to [1, its frames, channels]
 * @returns [1, frames, channels]
 */
export function inPieces(clip: Tensor, config: Wav2Vec2Config, forward: (piece: Tensor) => Tensor): Tensor {
  const [frames] = validFrames(config, [clip.shape[1]!]);
  const hop = receptiveField(config, 2) - receptiveField(config, 1); // samples from a frame to the next
  const pieces: Tensor[] = [];
  for (let from = 0; from < frames!; from += PIECE) {
    const samples = receptiveField(config, Math.min(PIECE, frames! - from));
    pieces.push(scope(() => forward(clip.narrow(1, from * hop, samples))));
  }
  return cat(pieces, 1);
}
