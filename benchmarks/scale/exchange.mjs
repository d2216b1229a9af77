// How long the sums of gradients are waited for, when buckets are sent during the backward pass as `Reducer` does.

const FIRST = 2 ** 20;
const OTHERS = 25 * 2 ** 20;

/**
 * @param {import("./parts.mjs").Part[]} parts
 * @returns {{ bytes: number, ready: number }[]} ready: the share of the backward pass that is over when the bucket is full
 */
export function buckets(parts) {
  const total = parts.reduce((sum, { flops }) => sum + flops, 0);
  const all = [];
  let [bytes, done, ready] = [0, 0, 0];
  for (const { parameters, flops } of parts) {
    done += flops;
    const added = 4 * parameters;
    if (bytes > 0 && bytes + added > (all.length === 0 ? FIRST : OTHERS)) {
      all.push({ bytes, ready });
      bytes = 0;
    }
    bytes += added;
    if (added > 0) ready = done / total;
  }
  all.push({ bytes, ready });
  return all;
}

/**
 * One bucket after the other, each from when it is full and the one before it is through.
 * @param {ReturnType<typeof buckets>} list
 * @param {{ backward: number, processes: number, bandwidth: number, latency: number, bytesShare: number }} link
 *   backward: seconds of the pass; bandwidth: bytes a second in and out of a process; bytesShare: 0.5 with bfloat16
 * @returns {{ busy: number, exposed: number }} seconds of sending, and of sending behind the pass's end
 */
export function exchange(list, { backward, processes, bandwidth, latency, bytesShare }) {
  let [free, busy] = [0, 0];
  if (processes === 1) return { busy: 0, exposed: 0 };
  for (const { bytes, ready } of list) {
    // A ring sends each byte twice but for the process's own part: Patarasso and Yuan 2009.
    const seconds = latency + (2 * (processes - 1) * bytes * bytesShare) / processes / bandwidth;
    free = Math.max(free, ready * backward) + seconds;
    busy += seconds;
  }
  return { busy, exposed: Math.max(0, free - backward) };
}
