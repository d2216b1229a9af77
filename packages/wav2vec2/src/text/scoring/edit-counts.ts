/** What turns a reference into a hypothesis, in words or characters. */
export interface EditCounts {
  substitutions: number;
  deletions: number;
  insertions: number;
}

/** Cells of a table of distances: 16 MB. Longer sequences are divided first, as in rapidfuzz and at its size. */
const MOST_CELLS = 4 * 1024 * 1024;

/**
 * The edits of a shortest Levenshtein alignment. Where several are equally short, it takes the one that jiwer
 * (https://github.com/jitsi/jiwer) takes, so that all three counts are its counts. Of sequences too long for one table
 * (about 2,000 items each) jiwer may take another one of the same length.
 *
 * O(a x b) time, at most 16 MB and O(a + b) memory.
 */
export function editCounts(reference: readonly string[], hypothesis: readonly string[]): EditCounts {
  const ids = new Map<string, number>();
  const numbered = (items: readonly string[]): Uint32Array =>
    Uint32Array.from(items, (item) => {
      const id = ids.get(item) ?? ids.size;
      ids.set(item, id);
      return id;
    });
  const counts: EditCounts = { substitutions: 0, deletions: 0, insertions: 0 };
  countEdits(numbered(reference), numbered(hypothesis), counts);
  return counts;
}

function countEdits(reference: Uint32Array, hypothesis: Uint32Array, counts: EditCounts): void {
  const [a, b] = withoutCommonEnds(reference, hypothesis);
  if (a.length * b.length <= MOST_CELLS || a.length < 2 || b.length < 2) {
    countInTable(a, b, counts);
    return;
  }
  const { left, right } = shortestDivision(a, b);
  countEdits(a.subarray(0, left), b.subarray(0, right), counts);
  countEdits(a.subarray(left), b.subarray(right), counts);
}

function countInTable(a: Uint32Array, b: Uint32Array, counts: EditCounts): void {
  let i = a.length;
  let j = b.length;
  if (i > 0 && j > 0) {
    const distances = distanceTable(a, b);
    const at = (row: number, column: number) => distances[row * (b.length + 1) + column]!;
    // The order of preference is that of rapidfuzz's recover_alignment, on which jiwer stands:
    // https://github.com/rapidfuzz/rapidfuzz-cpp/blob/main/rapidfuzz/distance/Levenshtein_impl.hpp
    while (i > 0 && j > 0) {
      if (at(i, j) === at(i - 1, j) + 1) {
        counts.deletions++;
        i--;
      } else if (at(i, j - 1) === at(i - 1, j - 1) - 1) {
        counts.insertions++;
        j--;
      } else {
        if (a[i - 1] !== b[j - 1]) counts.substitutions++;
        i--;
        j--;
      }
    }
  }
  counts.deletions += i;
  counts.insertions += j;
}

function withoutCommonEnds(a: Uint32Array, b: Uint32Array): [Uint32Array, Uint32Array] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  const shorter = Math.min(a.length, b.length) - start;
  while (end < shorter && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return [a.subarray(start, a.length - end), b.subarray(start, b.length - end)];
}

/** [a + 1, b + 1], row by row: the edit distance of every two prefixes. */
function distanceTable(a: Uint32Array, b: Uint32Array): Uint32Array {
  const columns = b.length + 1;
  const table = new Uint32Array((a.length + 1) * columns);
  for (let j = 0; j < columns; j++) table[j] = j;
  for (let i = 1; i <= a.length; i++) nextRow(table, i * columns, (i - 1) * columns, a[i - 1]!, b);
  return table;
}

/**
 * Where a shortest alignment crosses the middle of `b`: https://doi.org/10.1145/360825.360861 (Hirschberg), with the
 * halves and the first of equally good places that rapidfuzz takes.
 */
function shortestDivision(a: Uint32Array, b: Uint32Array): { left: number; right: number } {
  const right = b.length >> 1;
  const before = lastColumn(a, b.subarray(0, right));
  const behind = lastColumn(a.slice().reverse(), b.slice(right).reverse());
  let left = 1;
  for (let i = 2; i <= a.length; i++)
    if (before[i]! + behind[a.length - i]! < before[left]! + behind[a.length - left]!) left = i;
  if (before[0]! + behind[a.length]! < before[left]! + behind[a.length - left]!) left = 0;
  return { left, right };
}

/** [a + 1]: the edit distance of every prefix of `a` and all of `b`. */
function lastColumn(a: Uint32Array, b: Uint32Array): Uint32Array {
  const columns = a.length + 1;
  const rows = Uint32Array.from({ length: 2 * columns }, (_, i) => i);
  for (let j = 1; j <= b.length; j++) {
    const [row, above] = j % 2 === 1 ? [columns, 0] : [0, columns];
    nextRow(rows, row, above, b[j - 1]!, a);
  }
  return b.length % 2 === 1 ? rows.subarray(columns) : rows.subarray(0, columns);
}

/** Fills the row that begins at `row` from the one that begins at `above`. */
function nextRow(table: Uint32Array, row: number, above: number, item: number, others: Uint32Array): void {
  table[row] = table[above]! + 1;
  for (let j = 1; j <= others.length; j++) {
    const substitution = table[above + j - 1]! + (item === others[j - 1] ? 0 : 1);
    table[row + j] = Math.min(substitution, table[above + j]! + 1, table[row + j - 1]! + 1);
  }
}
