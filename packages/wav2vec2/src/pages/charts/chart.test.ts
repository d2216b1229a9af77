import { describe, expect, it } from "vitest";
import { drawChart } from "./chart.js";

describe("drawChart", () => {
  const draw = (values: number[], scale?: "log"): string =>
    drawChart({
      title: "t",
      ...(scale ? { scale } : {}),
      format: "short",
      series: [{ name: "s", tone: 1, points: values.map((y, index) => ({ x: index + 1, y })) }],
    });
  const positions = (svg: string): number[] =>
    [...svg.matchAll(/points="([^"]*)"/g)].flatMap(([, points]) => points!.split(" ").map(Number));
  const labels = (svg: string): string[] =>
    [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map(([, text]) => text!);

  it("keeps every point inside the drawing", () => {
    for (const values of [[0], [5, 5], [-3, 7], [1e-9, 1e9], [0, 0, 0], [0.1, 0.2, 0.3]]) {
      for (const scale of [undefined, "log"] as const) {
        const numbers = positions(draw(values, scale));
        expect(numbers.length).toBe(values.length * 2);
        for (const [index, value] of numbers.entries()) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(index % 2 === 0 ? 520 : 250);
        }
      }
    }
  });

  it("labels the axis with round numbers", () => {
    expect(labels(draw([0.1, 0.93]))).toEqual(["0", "0.2", "0.4", "0.6", "0.8", "1", "step"]);
    expect(labels(draw([0.02, 30], "log"))).toEqual(["0.01", "0.1", "1", "10", "100", "step"]);
  });

  it("leaves out what is not finite, and draws nothing without points", () => {
    expect(positions(draw([1, Number.NaN, 2]))).toHaveLength(4);
    expect(draw([Number.NaN])).toBe("");
    expect(draw([])).toBe("");
  });

  it("draws a reference and a band inside the drawing, whatever the values are", () => {
    for (const values of [[0.1], [3, 9], [1e-4, 1e4]]) {
      for (const scale of ["linear", "log"] as const) {
        for (const from of ["zero", "lowest"] as const) {
          const svg = drawChart({
            title: "t",
            scale,
            from,
            format: "short",
            series: [{ name: "s", tone: 1, points: values.map((y, index) => ({ x: index + 1, y })) }],
            reference: { name: "chance", value: 4.615 },
            band: { name: "usual", from: 0.5, to: 2 },
          });
          const [, line] = /class="reference" d="M\d+ ([\d.]+)H/.exec(svg)!;
          const [, top, height] = /class="band"[^>]* y="([\d.]+)" height="([\d.]+)"/.exec(svg)!;
          expect(Number(line)).toBeGreaterThanOrEqual(0);
          expect(Number(line)).toBeLessThan(Number(top));
          expect(Number(height)).toBeGreaterThanOrEqual(0);
          expect(Number(top) + Number(height)).toBeLessThanOrEqual(250);
          expect(svg.indexOf(">chance<")).toBeGreaterThan(0);
        }
      }
    }
  });

  it("averages neighbours where there are more points than can be seen", () => {
    expect(positions(draw(Array.from({ length: 5000 }, (_, index) => index)))).toHaveLength(2 * 385);
  });

  it("keeps the highest of many points inside of the drawing, as the edge of a band", () => {
    const values = Array.from({ length: 5000 }, (_, index) => (index === 1234 ? 90 : 1 + (index % 2)));
    const svg = draw(values);
    const [, band] = /class="range tone1" d="M([^"]*)z"/.exec(svg)!;
    const heights = band!.split("L").map((place) => Number(place.split(" ")[1]));
    expect(Math.min(...heights)).toBeCloseTo(216 - (90 / 100) * 204, 1);
    expect(Math.min(...positions(svg).filter((_, index) => index % 2))).toBeGreaterThan(150); // the mean hides it
    expect(labels(svg)).toContain("100");
    expect(svg).toContain("highest 90 at step 1,235.");
  });

  it("draws a smoothed curve before what it was, but no plan and no few points", () => {
    const points = Array.from({ length: 100 }, (_, index) => ({ x: index + 1, y: index % 2 ? 10 : 0 }));
    const chart = { title: "t", format: "short", series: [{ name: "s", tone: 1, points }] } as const;
    const heights = (svg: string) => positions(svg).filter((_, index) => index % 2);
    const spread = (svg: string) => Math.max(...heights(svg).slice(50)) - Math.min(...heights(svg).slice(50));
    const smooth = drawChart(chart, { smooth: 0.9 });
    expect([spread(drawChart(chart)), spread(smooth) < 20]).toEqual([204, true]);
    expect(smooth).toContain('class="range tone1"');
    expect(spread(drawChart({ ...chart, planned: true }, { smooth: 0.9 }))).toBe(204);
    const few = { ...chart, series: [{ ...chart.series[0], points: points.slice(0, 40) }] };
    expect(positions(drawChart(few, { smooth: 0.9 }))).toEqual(positions(drawChart(few)));
  });

  it("has a logarithmic axis only where values are far apart", () => {
    expect(labels(draw([8, 9.5], "log"))).toEqual(["8", "8.5", "9", "9.5", "step"]);
  });

  it("says in words and in a table what it shows, and which curve is which", () => {
    const svg = drawChart({
      title: "Error <rate>",
      format: "percent",
      series: [
        {
          name: "words",
          tone: 1,
          points: [0.9, 0.25, 0.5].map((y, index) => ({ x: (index + 1) * 1000, y })),
        },
        { name: "<b>", tone: 2, points: [{ x: 2000, y: 0.125 }] },
      ],
    });
    expect(svg).toContain(
      "words: 90 % at step 1,000, 50 % at step 3,000; lowest 25 % at step 2,000, highest 90 % at step 1,000.",
    );
    expect(svg).toContain('role="img" aria-label="Error &lt;rate&gt;"');
    const cells = [...svg.matchAll(/<t[hd](?: [^>]*)?>(.*?)<\/t[hd]>/g)].map(([, cell]) => cell);
    expect(cells).toEqual(
      ["step", "words", "&lt;b&gt;", "1,000", "90 %", "", "2,000", "25 %", "12.5 %"].concat(
        "3,000",
        "50 %",
        "12.5 %",
      ),
    );
    expect(svg).toContain('<span class="key tone2">&lt;b&gt;</span>');
    expect(svg).not.toContain("<b>Error <");
  });
});
