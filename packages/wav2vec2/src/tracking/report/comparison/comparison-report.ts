import { UserError } from "../../../errors.js";
import { writeFileAtomic } from "../../../files/atomic/atomic-file.js";
import { type Chart, drawChart } from "../../../pages/charts/chart.js";
import { escapeHtml } from "../../../pages/html.js";
import { renderPage } from "../../../pages/page.js";
import { clipNotes, renderNotes } from "../../../pages/parts.js";
import { renderTable } from "../../../pages/table.js";
import { TASK_NAMES, type TrainedTask } from "../../trained-task.js";
import { type RunData, readRun } from "../read-run.js";
import { chartsOf, type ReportOptions } from "../report.js";
import { embedRunClips } from "../run-clips.js";
import { factsOf } from "../run-facts.js";
import { findingItems, listOf, renderFindings } from "../sections/finding-section.js";
import { endsCollapsed } from "../sections/pretrain-sections.js";
import { shownTranscripts } from "../sections/transcript-section.js";
import { compareCharts, compareSystems } from "./compared-charts.js";
import { comparedTranscripts } from "./compared-transcripts.js";
import { recipeSection } from "./recipe-differences.js";
import { groupRuns, type RunGroup, runNames } from "./run-groups.js";
import { valueTable } from "./value-table.js";

/** Points of all curves of a chart together: more make the page heavy. */
const POINTS_OF_A_CHART = 2400;
const MOST_POINTS = 400;
const LEAST_POINTS = 60;

/** What several runs have to show beside one another. */
export interface RunComparison {
  runs: readonly RunData[];
  groups: readonly RunGroup[];
  names: ReadonlyMap<RunData, string>;
  charts: Chart[];
  systemCharts: Chart[];
}

/**
 * Reads runs to compare: curves in one chart, those that differ only in seed as their mean.
 *
 * @throws UserError where they were not trained for the same
 */
export function compareRuns(directories: readonly string[]): RunComparison {
  const runs = directories.map(readRun);
  requireSameTask(runs);
  const names = runNames(runs);
  const groups = groupRuns(runs, names);
  return {
    runs,
    groups,
    names,
    charts: compareCharts(groups, chartsOf),
    systemCharts: compareSystems(groups),
  };
}

/** Writes the report of several runs: one file without outside references. */
export async function writeComparison(
  path: string,
  comparison: RunComparison,
  options: ReportOptions = {},
): Promise<void> {
  await writeFileAtomic(path, await comparisonPage(comparison, options));
}

function requireSameTask(runs: readonly RunData[]): void {
  const tasks = Object.keys(TASK_NAMES) as TrainedTask[];
  const kinds = tasks
    .map((task) => ({
      task,
      directories: runs.filter((run) => run.task === task).map(({ directory }) => directory),
    }))
    .filter(({ directories }) => directories.length > 0);
  if (kinds.length < 2) return;
  const said = kinds.map(({ task, directories }, index) => {
    const verb = index > 0 ? "" : directories.length > 1 ? " are" : " is";
    return `${directories.join(" and ")}${verb} of ${TASK_NAMES[task]}`;
  });
  throw new UserError(
    `Runs that are compared must be trained for the same, but ${said.join(" and ")}. ` +
      whatToCompare(...kinds.map(({ directories }) => directories)),
  );
}

function whatToCompare(...kinds: readonly string[][]): string {
  const several = kinds.filter(({ length }) => length > 1).map((kind) => kind.join(" "));
  return several.length > 0 ? `Compare ${several.join(", or ")}.` : "Make a report of each.";
}

async function comparisonPage(comparison: RunComparison, { smooth = 0 }: ReportOptions): Promise<string> {
  const { runs, groups, names, charts, systemCharts } = comparison;
  const clips = await embedRunClips(
    runs.map(({ directory, transcripts }) => ({ directory, rows: shownTranscripts(transcripts) })),
  );
  const most = Math.max(LEAST_POINTS, Math.min(MOST_POINTS, Math.floor(POINTS_OF_A_CHART / groups.length)));
  const draw = (each: readonly Chart[], weight: number): string =>
    `<div class="charts">\n${each.map((chart) => drawChart(chart, { smooth: weight, most, legend: false })).join("\n")}\n</div>`;
  const headOf = (run: RunData): string => {
    const { tone, dashed } = groups.find((group) => group.runs.includes(run))!;
    return `<span class="key tone${tone}${dashed ? " dashed" : ""}">${escapeHtml(names.get(run)!)}</span>`;
  };
  const heads = runs.map(headOf);
  return renderPage({
    kind: "comparison of runs",
    title: titleOf(groups),
    about: [`${runs.length} runs`, ...tasksOf(runs)],
    clips: clips.urls,
    sections: [
      findings(comparison),
      renderNotes([...remarks(comparison), ...clipNotes(clips)]),
      valueTable(groups, headOf),
      `<section><h2>Curves</h2>\n${keys(groups)}\n${charts.length > 0 ? draw(charts, smooth) : "<p>No metrics yet.</p>"}</section>`,
      recipeSection(runs, heads),
      comparedTranscripts(runs, names, clips),
      systemCharts.length > 0
        ? `<section><h2>Machines</h2>\n${keys(groups)}\n${draw(systemCharts, 0)}</section>`
        : "",
      factTable(runs, heads),
    ],
  });
}

function titleOf(groups: readonly RunGroup[]): string {
  const names = groups.map(({ name }) => name);
  if (names.length <= 4)
    return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `${names.slice(0, 3).join(", ")} and ${names.length - 3} others`;
}

function tasksOf(runs: readonly RunData[]): string[] {
  const task = runs.find((run) => run.task)?.task;
  return task === undefined ? [] : [TASK_NAMES[task]];
}

function keys(groups: readonly RunGroup[]): string {
  const entries = groups.map(
    ({ name, tone, dashed }) =>
      `<span class="key tone${tone}${dashed ? " dashed" : ""}">${escapeHtml(name)}</span>`,
  );
  return `<div class="keys">${entries.join("")}</div>`;
}

function findings({ runs, names }: RunComparison): string {
  const lists = runs.flatMap((run) => {
    const items = findingItems(run.findings, endsCollapsed(run.metrics, run.codebooks));
    return items.length > 0 ? [`<h3>${escapeHtml(names.get(run)!)}</h3>\n${listOf(items)}`] : [];
  });
  return lists.length > 0 ? renderFindings(lists.join("\n")) : "";
}

/** What a reader must know to read the curves right. */
function remarks({ runs, groups, names }: RunComparison): string[] {
  const empty = runs.filter(({ metrics }) => metrics.length === 0).map((run) => names.get(run)!);
  return [
    ...(empty.length > 0 ? [`No metrics yet: ${empty.join(", ")}.`] : []),
    ...groups.flatMap(groupRemark),
    ...runs.flatMap((run) => run.broken.map((text) => `${names.get(run)}: ${text}`)),
  ];
}

function groupRemark({ name, runs }: RunGroup): string[] {
  if (runs.length === 1) return [];
  const ends = runs.flatMap(({ metrics }) => metrics.at(-1)?.step ?? []);
  const early = Math.min(...ends) < Math.max(...ends);
  return [
    `${name} differ only in seed: their curve is the mean, with the lowest and highest as a band` +
      `${early ? `; it ends at step ${Math.min(...ends).toLocaleString("en")} with the first of them` : ""}.`,
  ];
}

function factTable(runs: readonly RunData[], heads: readonly string[]): string {
  const facts = runs.map((run) => new Map(factsOf(run)));
  const names = [...new Set(facts.flatMap((each) => [...each.keys()]))];
  if (names.length === 0) return "";
  const rows = names.map((name) => [name, ...facts.map((each) => each.get(name) ?? "–")].map(escapeHtml));
  return `<section><h2>Runs</h2>\n${renderTable({ label: "Runs", header: ["", ...heads], rows, className: "texts" })}</section>`;
}
