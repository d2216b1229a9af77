import { join } from "node:path";
import { UserError } from "../../errors.js";
import { reasonOf, writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { makeDirectory } from "../../files/make-directory.js";
import { classifierPage } from "../classification/classifier-page.js";
import type { ClassifierResult } from "../classification/classifier-result.js";
import { wrongClips } from "../classification/classifier-summary.js";
import type { Comparison } from "../comparison/compare.js";
import { comparisonPage } from "../comparison/comparison-page.js";
import type { EvaluationResult } from "../evaluation.js";
import { worstUtterances } from "../summary.js";
import { embedClips, type Playable, type ReportClips, writeClips } from "./report-clips.js";
import { reportPage } from "./report-page.js";

export interface ReportOptions {
  /** How many of the worst utterances can be played. */
  clips: number;
}

export interface WrittenReport {
  path: string;
  /** Without clips as files. */
  pageBytes: number;
  clips: ReportClips;
}

/**
 * Writes a result as a page that works without a network. To `path` where it ends in .html, with clips inside as far as
 * they fit; else to `index.html` in the directory `path`, with clips as files beside it.
 *
 * @throws UserError where it cannot be written
 */
export async function writeEvaluationReport(
  path: string,
  result: EvaluationResult,
  options: ReportOptions,
): Promise<WrittenReport> {
  const played = [...worstUtterances(result.utterances), ...rightUtterances(result)];
  return await writeReport(path, played, options, (clips) => reportPage(result, clips));
}

/** {@link writeEvaluationReport} of a comparison; it plays the utterances that differ most. */
export async function writeComparisonReport(
  path: string,
  comparison: Comparison,
  options: ReportOptions,
): Promise<WrittenReport> {
  return await writeReport(path, comparison.utterances, options, (clips) =>
    comparisonPage(comparison, clips),
  );
}

/** {@link writeEvaluationReport} of a classifier; it plays wrong clips first. */
export async function writeClassifierReport(
  path: string,
  result: ClassifierResult,
  options: ReportOptions,
): Promise<WrittenReport> {
  const played = [...wrongClips(result), ...result.clips.filter(({ right }) => right)];
  return await writeReport(path, played, options, (clips) => classifierPage(result, clips));
}

async function writeReport(
  path: string,
  utterances: readonly Playable[],
  { clips: count }: ReportOptions,
  render: (clips: ReportClips) => string,
): Promise<WrittenReport> {
  const played = utterances.slice(0, count);
  const single = isSinglePage(path);
  const clips = single ? await embedClips(played) : await writeClips(played, path);
  const page = render(clips);
  const file = single ? path : join(path, "index.html");
  await writeFileAtomic(file, page);
  return { path: file, pageBytes: Buffer.byteLength(page), clips };
}

/** Makes the directory of a report, before hours of work, and says where the page will be. */
export async function prepareReportPath(path: string): Promise<string> {
  if (isSinglePage(path)) return path;
  await makeDirectory(path).catch((error: unknown) => {
    throw new UserError(`${path} must be an .html file or a directory to write to, but ${reasonOf(error)}.`);
  });
  return join(path, "index.html");
}

function isSinglePage(path: string): boolean {
  return /\.html?$/i.test(path);
}

function rightUtterances({ utterances }: EvaluationResult): EvaluationResult["utterances"] {
  return utterances.filter(
    ({ substitutions, deletions, insertions }) => substitutions + deletions + insertions === 0,
  );
}
