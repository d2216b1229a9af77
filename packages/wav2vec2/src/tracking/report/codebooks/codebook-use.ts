/** How often each entry of each codebook was chosen over a validation. */
export interface Usage {
  step: number;
  /** [groups][entries] */
  counts: readonly (readonly number[])[];
}

/** More validations than this are taken together with their neighbours: more columns cannot be told apart. */
const MOST_COLUMNS = 240;

/** Those of the shape of the last one: a run can go on with other codebooks than it began with. */
export function ofLastShape<T extends Usage>(usages: readonly T[]): T[] {
  const shape = (usage: T | undefined): string => usage?.counts.map(({ length }) => length).join() ?? "";
  const wanted = shape(usages.at(-1));
  return wanted === "" ? [] : usages.filter((usage) => shape(usage) === wanted);
}

/** Neighbours in a drawing of columns, each part of as many but the last. */
export function together<T>(all: readonly T[]): T[][] {
  const size = Math.max(1, Math.ceil(all.length / MOST_COLUMNS));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

/** Neighbours as one: the step of the last, and all choices. */
export function summed(part: readonly Usage[]): { step: number; counts: number[][] } {
  const [first, ...others] = part;
  return {
    step: part.at(-1)!.step,
    counts: first!.counts.map((entries, group) =>
      entries.map((count, entry) => others.reduce((sum, other) => sum + other.counts[group]![entry]!, count)),
    ),
  };
}
