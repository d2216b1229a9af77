/**
 * How unlikely labels are beside a network's scores: -ln of the probability of all their alignments together, as
 * torch.nn.functional.ctc_loss (A. Graves et al., Connectionist Temporal Classification, 2006, section 4.1), summed in double
 * precision.
 *
 * @param logits [frames * size], row by row; log-probabilities do as well
 * @param size of the vocabulary
 * @param labels tokens without blanks
 * @returns in nats; infinity where the labels fit no path
 */
export function ctcLoss(
  logits: Float32Array,
  frames: number,
  size: number,
  blankId: number,
  labels: Int32Array,
): number {
  const states = 2 * labels.length + 1; // a blank before, between and behind them
  const tokenOf = (state: number): number => (state % 2 === 0 ? blankId : labels[state >> 1]!);
  // ln of the probability of all beginnings of paths that are in a state.
  let now = new Float64Array(states).fill(Number.NEGATIVE_INFINITY);
  let next = new Float64Array(states);
  for (let frame = 0; frame < frames; frame++) {
    const row = logits.subarray(frame * size, (frame + 1) * size);
    const norm = logSumExp(row);
    for (let state = 0; state < states; state++) {
      const token = tokenOf(state);
      // A label may follow another at once, but for its like: between these a blank must be.
      const mayJump = state > 1 && token !== blankId && token !== tokenOf(state - 2);
      let before = state < 2 ? 0 : Number.NEGATIVE_INFINITY; // a path begins with a blank or the first label
      if (frame > 0) {
        before = now[state]!;
        if (state > 0) before = logAdd(before, now[state - 1]!);
        if (mayJump) before = logAdd(before, now[state - 2]!);
      }
      next[state] = before + row[token]! - norm;
    }
    [now, next] = [next, now];
  }
  return -(states === 1 ? now[0]! : logAdd(now[states - 1]!, now[states - 2]!));
}

function logAdd(a: number, b: number): number {
  const most = Math.max(a, b);
  return most === Number.NEGATIVE_INFINITY ? most : most + Math.log1p(Math.exp(Math.min(a, b) - most));
}

function logSumExp(row: Float32Array): number {
  const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return most + Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0));
}
