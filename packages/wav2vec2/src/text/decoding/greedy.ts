import { requireArguments, whole } from "../../argument-kinds.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { LOGITS } from "./logits-kind.js";

export interface GreedyDecoding {
  /** [frames], the likeliest token of each frame. */
  frameIds: Int32Array;
  /** [labels], with repeats collapsed and blanks dropped. */
  labels: Int32Array;
  /** The share of frames whose likeliest token is the blank; 0 where there are no frames. */
  blankShare: number;
}

/**
 * Best path decoding of one utterance: https://www.cs.toronto.edu/~graves/icml_2006.pdf, section 3.2.
 * @param logits [frames * vocabularySize], row by row; log-probabilities do as well
 * @throws UserError where the sizes do not fit or a frame holds NaN
 */
export function greedyDecode(
  logits: Float32Array,
  frames: number,
  vocabularySize: number,
  blankId: number,
): GreedyDecoding {
  requireArguments("greedyDecode", {
    logits: [logits, LOGITS],
    frames: [frames, whole(0)],
    vocabularySize: [vocabularySize, whole(1)],
    blankId: [blankId, whole(0)],
  });
  if (logits.length !== frames * vocabularySize)
    throw new ConfigurationError(
      `logits must hold ${frames} x ${vocabularySize} values, but hold ${logits.length}.`,
    );
  const frameIds = Int32Array.from({ length: frames }, (_, frame) => {
    const row = logits.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
    let best = 0;
    for (let id = 0; id < vocabularySize; id++) {
      if (Number.isNaN(row[id]!))
        throw new UserError(`logits must be numbers, but frame ${frame} holds NaN.`);
      if (row[id]! > row[best]!) best = id;
    }
    return best;
  });
  const labels = frameIds.filter((id, frame) => id !== blankId && id !== frameIds[frame - 1]);
  const blanks = frameIds.reduce((count, id) => count + (id === blankId ? 1 : 0), 0);
  return { frameIds, labels, blankShare: frames === 0 ? 0 : blanks / frames };
}
