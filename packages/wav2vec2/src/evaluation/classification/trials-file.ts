import { basename } from "node:path";
import { readTextFile } from "../../data/corpus/corpus-text.js";
import { UserError } from "../../errors.js";
import { requireBothKinds, type Trials } from "./verification.js";

/**
 * A list of trials as VoxCeleb's: `1 <clip> <clip>` a line where both are of one speaker, `0` where not. Clips are named by
 * id, path or file name.
 *
 * @throws UserError naming the line that is wrong
 */
export function readTrials(path: string, clips: readonly { id: string; path: string }[]): Trials {
  const places = new Map<string, number>();
  const shared = new Set<string>();
  for (const [place, clip] of clips.entries())
    for (const name of new Set([basename(clip.path), clip.path, clip.id])) {
      if (places.has(name)) shared.add(name);
      places.set(name, place);
    }
  const rows: [number, number, number][] = [];
  for (const [index, line] of readTextFile(path, "a list of trials").split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [kind, first, second, ...rest] = line.trim().split(/\s+/);
    if (!/^[01]$/.test(kind!) || second === undefined || rest.length > 0)
      throw new UserError(
        `${path}:${index + 1} must be '1 <clip> <clip>' for one speaker or '0 <clip> <clip>' for two, but is '${line.trim().slice(0, 100)}'.`,
      );
    const unknown = [first!, second].find((name) => !places.has(name) || shared.has(name));
    if (unknown !== undefined) {
      const number = shared.has(unknown) ? "are several" : "is none";
      throw new UserError(
        `${path}:${index + 1} must name clips by id, path or file name, but of ${unknown} there ${number}.`,
      );
    }
    rows.push([places.get(first!)!, places.get(second)!, Number(kind)]);
  }
  const trials = {
    first: Int32Array.from(rows, ([first]) => first),
    second: Int32Array.from(rows, ([, second]) => second),
    same: Uint8Array.from(rows, ([, , same]) => same),
  };
  requireBothKinds(trials, path);
  return trials;
}
