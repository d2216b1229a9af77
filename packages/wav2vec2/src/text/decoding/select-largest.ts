/**
 * Moves the `count` entries of `order` with the largest scores to its front, in no order (Hoare's selection).
 *
 * @param order [length], places in `scores`; `length` of them are looked at
 */
export function selectLargest(order: Int32Array, length: number, scores: Float64Array, count: number): void {
  let left = 0;
  let right = length - 1;
  while (left < right && count > left && count <= right) {
    const pivot = medianOfThree(
      scores[order[left]!]!,
      scores[order[(left + right) >>> 1]!]!,
      scores[order[right]!]!,
    );
    let [low, high] = [left, right];
    while (low <= high) {
      while (scores[order[low]!]! > pivot) low++;
      while (scores[order[high]!]! < pivot) high--;
      if (low > high) break;
      const entry = order[low]!;
      order[low++] = order[high]!;
      order[high--] = entry;
    }
    // left..high are at least the pivot, low..right at most, between them equal
    if (count <= high) right = high;
    else if (count > low) left = low;
    else return;
  }
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
