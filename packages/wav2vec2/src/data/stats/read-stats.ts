import { choice, PATH, requireArguments, TEXTS } from "../../argument-kinds.js";
import { UserError } from "../../errors.js";
import { requireOptions } from "../../known-options.js";
import { type ReadSplitsOptions, readSplits } from "../check/read-splits.js";
import { type SplitStats, splitStats } from "./corpus-stats.js";

/**
 * Describes splits of a corpus, all of them where none is named, by their files' headers and transcripts.
 *
 * @returns with the number of problems, whose clips are left out
 * @throws UserError on an unknown split, or where there is no utterance
 */
export async function readStats(
  root: string,
  options: Pick<ReadSplitsOptions, "splits" | "transcripts"> = {},
): Promise<{ stats: SplitStats[]; leftOut: number }> {
  requireArguments("readStats", { root: [root, PATH] });
  requireOptions("readStats", options, { splits: TEXTS, transcripts: choice("required", "none") });
  const read = await readSplits(root, options);
  const stats = read.map(({ name, utterances }) => splitStats(name, utterances));
  if (stats.every(({ utterances }) => utterances === 0))
    throw new UserError(`${root} must hold utterances, but holds none that can be used.`);
  return { stats, leftOut: read.reduce((sum, { problems }) => sum + problems.length, 0) };
}
