interface Histogram {
  edges: readonly number[];
  counts: readonly number[];
}

/** Histograms with boxes of their own as columns of `rows` boxes over the same range: what a box holds goes evenly to those that it covers. */
export function rebinned(
  histograms: readonly Histogram[],
  rows: number,
): { low: number; high: number; columns: Float64Array[] } {
  const low = Math.min(...histograms.map(({ edges }) => edges[0]!));
  const high = Math.max(...histograms.map(({ edges }) => edges.at(-1)!));
  const height = (high - low) / rows || 1;
  const columns = histograms.map(({ edges, counts }) => {
    const column = new Float64Array(rows);
    for (const [index, amount] of counts.entries()) {
      const from = (edges[index]! - low) / height;
      const to = (edges[index + 1]! - low) / height;
      const last = Math.min(rows - 1, Math.floor(to));
      for (let row = Math.min(rows - 1, Math.floor(from)); row <= last; row++) {
        const covered = Math.min(to, row + 1) - Math.max(from, row);
        column[row]! += to > from ? (amount * Math.max(0, covered)) / (to - from) : amount;
      }
    }
    return column;
  });
  return { low, high, columns };
}

/** The value below which a share of all lies, if the values of a box are spread evenly. */
export function quantile({ edges, counts }: Histogram, share: number): number {
  const wanted = share * counts.reduce((sum, count) => sum + count, 0);
  let passed = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && passed + count >= wanted) {
      const [from, to] = [edges[index]!, edges[index + 1]!];
      return from + (to - from) * ((wanted - passed) / count);
    }
    passed += count;
  }
  return edges.at(-1)!;
}
