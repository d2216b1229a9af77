import { resolve } from "node:path";
import { writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { listLine } from "../corpus/corpus-list.js";
import type { CorpusReport } from "./check-corpus.js";

/**
 * Writes what to leave out of training, as `readCorpus` takes it in `exclude`: an id a line and its problems as a
 * comment. Where a good clip has the same id, the path of the bad one's file stands for it.
 *
 * @returns how many lines it has
 */
export async function writeExcludeList(
  path: string,
  { good, problems }: Pick<CorpusReport, "good" | "problems">,
): Promise<number> {
  const goodIds = new Set(good.map(({ id }) => id));
  const reasons = new Map<string, string[]>();
  for (const { id, file, kind, message } of problems) {
    const entry = id === "" || goodIds.has(id) ? resolve(file) : id;
    const reason = `${kind}: ${message}`;
    reasons.set(entry, [...(reasons.get(entry) ?? []), reason]);
  }
  const lines = [...reasons].map(([entry, all]) => listLine(entry, all.join(" ")));
  await writeFileAtomic(path, lines.join(""));
  return reasons.size;
}
