/**
 * Which process each of several things goes to, so that all have about as much: the largest first, each to the process that
 * has the least so far, the first of equals. PyTorch: `ZeroRedundancyOptimizer._partition_parameters`.
 *
 * @param sizes of the things
 * @returns a rank below `processes` for each, the same in all processes
 */
export function ownersOf(sizes: readonly number[], processes: number): number[] {
  const owners = new Array<number>(sizes.length).fill(0);
  const loads = new Array<number>(processes).fill(0);
  const largestFirst = sizes.map((_, place) => place).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  for (const place of largestFirst) {
    const owner = loads.indexOf(Math.min(...loads));
    owners[place] = owner;
    loads[owner]! += sizes[place]!;
  }
  return owners;
}
