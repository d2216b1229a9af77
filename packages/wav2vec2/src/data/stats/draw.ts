import type { EChartsOption } from "echarts";
import { counted } from "../../counted.js";
import { FONT_FAMILY } from "../../pages/charts/raster.js";
import { COLORS } from "../../pages/colors.js";
import type { SplitStats } from "./corpus-stats.js";

const PANEL = { width: 520, height: 360 };
/** Around a panel's axes: above them the titles, below and beside them labels and units. */
const MARGIN = { left: 72, right: 24, top: 84, bottom: 62 };
const PLOT = {
  width: PANEL.width - MARGIN.left - MARGIN.right,
  height: PANEL.height - MARGIN.top - MARGIN.bottom,
};
/** Names of more speakers would overlap; they are numbered. */
const MOST_NAMES = 12;
/** Labels of more characters would overlap. */
const MOST_CHARACTERS = 30;
const NAME_LENGTH = 8;

const { text: INK, soft: SOFT, line: LINE } = COLORS.light;

/** A chart of bars, side by side from left to right. */
interface Panel {
  title: string;
  color: string;
  /** What the bars are of, with unit. */
  x: string;
  /** What their height is, with unit. */
  y: string;
  values: number[];
  /** Under the bars: a name each, or a scale that begins at `from` and grows by `step` from bar to bar. */
  labels: string[] | { from: number; step: number };
}

/**
 * A row of charts for each split as SVG: durations, speakers, characters.
 * @param stats at least one
 */
export async function drawStats(stats: readonly SplitStats[]): Promise<string> {
  const { BarChart, GridComponent, init, SVGRenderer, TitleComponent, use } = await import("./echarts.js");
  use([BarChart, GridComponent, TitleComponent, SVGRenderer]);
  const rows = stats.map((split) => ({ split, panels: panelsOf(split) }));
  const width = Math.max(...rows.map(({ panels }) => panels.length)) * PANEL.width;
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height: rows.length * PANEL.height });
  try {
    chart.setOption(optionOf(rows));
    return chart.renderToSVGString();
  } finally {
    chart.dispose(); // else its timers keep the process alive
  }
}

function panelsOf(split: SplitStats): Panel[] {
  const { durations, speakers, transcripts } = split;
  const panels: Panel[] = [
    {
      title: "Durations",
      color: "#1d5fd1",
      x: "length of an utterance (s)",
      y: "utterances",
      values: durations.counts,
      labels: { from: 0, step: durations.width },
    },
  ];
  if (speakers.length > 0) {
    const inHours = speakers[0]!.hours >= 2;
    panels.push({
      title: "Speakers",
      color: "#c2500a",
      x: speakers.length > MOST_NAMES ? "speakers, most speech first" : "speaker",
      y: inHours ? "speech (hours)" : "speech (minutes)",
      values: speakers.map(({ hours }) => (inHours ? hours : hours * 60)),
      labels:
        speakers.length > MOST_NAMES
          ? { from: 0, step: 1 }
          : speakers.map(({ speaker }) =>
              speaker.length > NAME_LENGTH ? `${speaker.slice(0, NAME_LENGTH - 1)}…` : speaker,
            ),
    });
  }
  if (transcripts) {
    const shown = transcripts.characters.slice(0, MOST_CHARACTERS);
    const all = transcripts.characters.length;
    const total = transcripts.characters.reduce((sum, { count }) => sum + count, 0);
    panels.push({
      title: all > shown.length ? `Characters: ${shown.length} of ${all}` : "Characters",
      color: "#1a7f37",
      x: "character (␣ is the space)",
      y: "share of all (%)",
      values: shown.map(({ count }) => (count / total) * 100),
      labels: shown.map(({ character }) => (character === " " ? "␣" : character)),
    });
  }
  return panels;
}

function optionOf(rows: readonly { split: SplitStats; panels: Panel[] }[]): EChartsOption {
  const titles: object[] = [];
  const grids: object[] = [];
  const xAxes: object[] = [];
  const yAxes: object[] = [];
  const series: object[] = [];
  for (const [row, { split, panels }] of rows.entries()) {
    const top = row * PANEL.height;
    titles.push({ text: heading(split), left: 20, top: top + 14, textStyle: text(INK, 17, "bold") });
    for (const [column, panel] of panels.entries()) {
      const left = column * PANEL.width + MARGIN.left;
      const index = grids.length;
      titles.push({ text: panel.title, left, top: top + 50, textStyle: text(INK, 14, "bold") });
      grids.push({ left, top: top + MARGIN.top, ...PLOT });
      xAxes.push({ gridIndex: index, ...axis(panel.x, 34), splitLine: { show: false }, ...scaleOf(panel) });
      yAxes.push({
        gridIndex: index,
        ...axis(panel.y, 50),
        type: "value",
        axisLine: { show: false },
        axisTick: { show: false },
      });
      series.push({
        type: "bar",
        xAxisIndex: index,
        yAxisIndex: index,
        itemStyle: { color: panel.color },
        ...barsOf(panel),
      });
    }
  }
  return {
    animation: false,
    backgroundColor: "#ffffff",
    title: titles,
    grid: grids,
    xAxis: xAxes,
    yAxis: yAxes,
    series,
  } as EChartsOption;
}

function heading({ name, utterances, hours, speakers, transcripts }: SplitStats): string {
  const parts = [
    counted(utterances, "utterance", utterances.toLocaleString("en")),
    `${hours.toFixed(2)} hours`,
    ...(speakers.length > 0 ? [`${speakers.length.toLocaleString("en")} speakers`] : []),
    ...(transcripts ? [`${transcripts.words.toLocaleString("en")} words`] : []),
  ];
  return `${name}: ${parts.join(", ")}`;
}

function text(color: string, fontSize: number, fontWeight: "normal" | "bold" = "normal"): object {
  return { color, fontSize, fontWeight, fontFamily: FONT_FAMILY };
}

function axis(name: string, nameGap: number): object {
  return {
    name,
    nameGap,
    nameLocation: "middle",
    nameTextStyle: text(SOFT, 12),
    axisLabel: text(SOFT, 12),
    axisLine: { lineStyle: { color: SOFT } },
    splitLine: { lineStyle: { color: LINE } },
  };
}

function scaleOf({ labels, values }: Panel): object {
  if (!Array.isArray(labels))
    return {
      type: "value",
      min: labels.from,
      max: labels.from + labels.step * values.length,
      // The end is rarely a round number and would stand close to the last one.
      axisLabel: { ...text(SOFT, 12), showMaxLabel: false },
    };
  return {
    type: "category",
    data: labels,
    axisTick: { show: false },
    axisLabel: { ...text(SOFT, labels.length > MOST_NAMES ? 10 : 12), interval: 0 },
  };
}

/** On a scale the bars stand between its marks, with a gap where they are wide enough for one. */
function barsOf({ labels, values }: Panel): object {
  if (Array.isArray(labels)) return { data: values, barCategoryGap: "15%", barMaxWidth: 48 };
  const width = PLOT.width / values.length;
  return {
    data: values.map((value, index) => [labels.from + labels.step * (index + 0.5), value]),
    barWidth: width > 4 ? width * 0.92 : width,
  };
}
