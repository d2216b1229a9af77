import { editDistance } from "./edit-distance.js";

/** The one of `names` that was likely meant by `name`; none when all are too different to be a slip. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((candidate) => ({ candidate, distance: editDistance([...name], [...candidate]) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(2, name.length / 3) ? best.candidate : undefined;
}
