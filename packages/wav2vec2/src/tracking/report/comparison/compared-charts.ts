import type { Chart, Series } from "../../../pages/charts/chart.js";
import { meanAndRange } from "../../../pages/charts/curve.js";
import type { RunData } from "../read-run.js";
import { trainedSeconds } from "../sections/run-sections.js";
import { meanOf, systemCharts } from "../system-charts.js";
import type { RunGroup } from "./run-groups.js";

/** The same curve of every run. */
interface Compared {
  chart: Chart;
  points: Map<RunData, Series["points"]>;
}

/** A chart for each curve that any of the runs has, with a line for each group. @param chartsOf what a run has to show */
export function compareCharts(
  groups: readonly RunGroup[],
  chartsOf: (run: RunData) => readonly Chart[],
): Chart[] {
  const compared = new Map<string, Compared>();
  for (const run of groups.flatMap(({ runs }) => runs)) {
    for (const chart of chartsOf(run)) {
      const whole = chart.series.filter(({ part, points }) => !part && points.length > 0);
      const isAlone = chart.series.filter(({ part }) => !part).length === 1;
      for (const { name, points } of whole) {
        const title = isAlone ? chart.title : `${chart.title}, ${name}`;
        const entry = compared.get(title) ?? { chart: { ...chart, title }, points: new Map() };
        entry.points.set(run, points);
        compared.set(title, entry);
      }
    }
  }
  return [...compared.values()].map(({ chart, points }) => ({
    ...chart,
    series: groups.map((group) => seriesOf(group, points)),
  }));
}

/** How the machines of the runs were, each run as the mean of its processes. */
export function compareSystems(groups: readonly RunGroup[]): Chart[] {
  const runs = groups.flatMap((group) => group.runs);
  const longest = Math.max(0, ...runs.map(({ system }) => trainedSeconds(system).at(-1) ?? 0));
  return compareCharts(groups, ({ system }) =>
    systemCharts(system, longest).map((chart) => ({
      ...chart,
      series: [chart.series.length > 1 ? meanOf(chart.series) : chart.series[0]!],
    })),
  );
}

function seriesOf({ name, runs, tone, dashed }: RunGroup, points: Compared["points"]): Series {
  const own = runs.flatMap((run) => {
    const curve = points.get(run);
    return curve ? [curve] : [];
  });
  const look = { name, tone, dashed };
  return own.length > 1 ? { ...look, ...meanAndRange(own) } : { ...look, points: own[0] ?? [] };
}
