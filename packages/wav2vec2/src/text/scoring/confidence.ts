/**
 * How sure a CTC network is of what it recognised in one utterance: the mean probability of the likeliest token, over frames
 * where that token is not the blank. Where all are, over all frames: how sure it is that there is nothing. It does not
 * depend on how the scores are decoded.
 *
 * @param logits [frames * vocabularySize], row by row; log-probabilities do as well
 * @returns from 0 to 1; 0 where there are no frames
 */
export function greedyConfidence(
  logits: Float32Array,
  frames: number,
  vocabularySize: number,
  blankId: number,
): number {
  let [spoken, spokenFrames, silent] = [0, 0, 0];
  for (let frame = 0; frame < frames; frame++) {
    const row = logits.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
    let best = 0;
    for (let id = 1; id < vocabularySize; id++) if (row[id]! > row[best]!) best = id;
    let sum = 0;
    for (let id = 0; id < vocabularySize; id++) sum += Math.exp(row[id]! - row[best]!);
    if (best === blankId) {
      silent += 1 / sum;
    } else {
      spoken += 1 / sum;
      spokenFrames++;
    }
  }
  if (spokenFrames > 0) return spoken / spokenFrames;
  return frames > 0 ? silent / frames : 0;
}
