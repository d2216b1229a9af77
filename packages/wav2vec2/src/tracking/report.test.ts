import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { drawChart } from "./chart.js";
import { metricsFile } from "./metrics-file.js";
import { writeReport } from "./report.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "report-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("writeReport", () => {
  it("shows the best error rate, curves, the last transcripts and the recipe", async () => {
    const tracker = metricsFile(directory, { resume: false });
    for (const [step, wer] of [
      [10, 0.9],
      [20, 0.0625],
      [30, 0.1],
    ] as const) {
      tracker.log({ loss: 3 - step / 20, learning_rate: 1e-3, grad_norm: 1 }, step);
      tracker.log({ "eval/wer": wer, "eval/cer": wer / 2, "eval/ctc_loss": 4 }, step);
      tracker.transcripts([{ id: `u${step}`, reference: "ONE <TWO>", hypothesis: "ONE TEN" }], step);
    }
    writeFileSync(join(directory, "recipe.yaml"), "max_steps: 30 # <&>\n");
    const html = readFileSync(await writeReport(directory), "utf8");
    expect(html).toContain("<dd>6.3 %</dd>");
    expect(html).toContain("at step 20");
    expect(html.match(/<svg/g)).toHaveLength(5);
    expect(html).toContain("u30");
    expect(html).not.toContain("u20");
    expect(html).toContain('<mark title="for &lt;TWO&gt;">TEN</mark>');
    expect(html).toContain("max_steps: 30 # &lt;&amp;&gt;");
    expect(html).not.toMatch(/https?:|NaN|undefined|Infinity/);
  });

  it("can be written for a run that has not logged anything", async () => {
    const html = readFileSync(await writeReport(directory), "utf8");
    expect(html).toContain("No metrics yet.");
    expect(html).not.toMatch(/NaN|undefined/);
  });
});

describe("drawChart", () => {
  const draw = (values: number[], scale?: "log"): string =>
    drawChart({
      title: "t",
      ...(scale ? { scale } : {}),
      format: String,
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

  it("averages neighbours where there are more points than can be seen", () => {
    expect(positions(draw(Array.from({ length: 5000 }, (_, index) => index)))).toHaveLength(2 * 385);
  });
});
