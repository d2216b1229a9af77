// Efficiency against GPUs.

import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { NETWORKS, predict } from "./predict.mjs";

const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const CURVES = [
  { name: "BASE, A100 at 16 %", network: "BASE", card: "a100", share: 0.16, color: "#1d5fd1", type: "solid" },
  { name: "BASE, H100 at 30 %", network: "BASE", card: "h100", share: 0.3, color: "#1d5fd1", type: "dashed" },
  {
    name: "LARGE, A100 at 16 %",
    network: "LARGE",
    card: "a100",
    share: 0.16,
    color: "#c2500a",
    type: "solid",
  },
  {
    name: "LARGE, H100 at 30 %",
    network: "LARGE",
    card: "h100",
    share: 0.3,
    color: "#c2500a",
    type: "dashed",
  },
];

/** The paper's update while it has a part for each GPU, then one part each. @returns {Promise<string>} SVG */
export async function drawEfficiency(numbers, utterances) {
  use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);
  const chart = init(null, null, { renderer: "svg", ssr: true, width: 760, height: 420 });
  try {
    const text = { color: "#5b6675" };
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      textStyle: { fontFamily: "DejaVu Sans, Liberation Sans, Arial, Helvetica, sans-serif" },
      title: {
        text: "Predicted, not measured: share of the time that GPUs compute",
        left: 16,
        top: 10,
        textStyle: { fontSize: 15, color: "#1c2430" },
      },
      legend: { top: 40, left: 16, textStyle: text },
      grid: { left: 64, right: 24, top: 84, bottom: 56 },
      xAxis: {
        type: "category",
        data: SIZES.map(String),
        name: "GPUs, eight a host",
        nameLocation: "middle",
        nameGap: 34,
        axisLabel: text,
        nameTextStyle: text,
      },
      yAxis: { min: 0, max: 100, axisLabel: { ...text, formatter: "{value} %" } },
      series: CURVES.map(({ name, network, card, share, color, type }) => ({
        name,
        type: "line",
        symbolSize: 7,
        lineStyle: { type, width: 2 },
        itemStyle: { color },
        data: SIZES.map((gpus) => {
          const { parts, batchSeconds } = NETWORKS[network];
          const one = { network, card, gpus, batchSeconds, accumulation: Math.max(1, parts / gpus) };
          return Number((100 * predict(one, { ...numbers, share }, utterances).efficiency).toFixed(1));
        }),
      })),
    });
    // A title for those who hear the page, and without the styles of a pointer that hovers.
    return chart
      .renderToSVGString()
      .replace(/<style[\s\S]*?<\/style>\s*/, "")
      .replace(
        /^(<svg[^>]*>)/,
        "$1\n<title>Predicted share of the time that GPUs compute, against their number</title>",
      );
  } finally {
    chart.dispose();
  }
}
