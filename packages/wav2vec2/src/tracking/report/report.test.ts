import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { metricsFile } from "../sinks/metrics-file.js";
import { drawChart } from "./chart.js";
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

  it("shows of pre-training loss and accuracy against chance, codebooks and clips", async () => {
    const tracker = metricsFile(directory, { resume: false });
    for (const [step, loss, accuracy] of [
      [10, 4.5, 0.02],
      [20, 3.8, 0.2],
      [30, 3.9, 0.21],
    ] as const) {
      const metrics = {
        loss,
        contrastive_loss: loss,
        contrastive_loss_to_chance: loss / Math.log(101),
        diversity_loss: 0.5,
        accuracy,
        codevector_perplexity: 30,
        codevector_perplexity_0: 10,
        codevector_perplexity_1: 20,
        positive_similarity: 0.5,
        negative_similarity: -0.1,
        gumbel_temperature: 2,
      };
      tracker.log({ ...metrics, learning_rate: 1e-3, grad_norm: 1, audio_seconds_per_second: 50 }, step);
      tracker.log(
        Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`eval/${name}`, value])),
        step,
      );
      tracker.codebooks(
        [
          [step, 0],
          [1, 1],
        ],
        step,
      );
      tracker.codedClips(
        [
          {
            id: `clip${step}`,
            seconds: 0.04,
            waveform: [[-1, 1]],
            masked: [[0, 1]],
            codes: [
              [0, 1],
              [1, 0],
            ],
            found: [true, false],
          },
        ],
        step,
      );
    }
    tracker.log({ contrastive_loss: Number.NaN, accuracy: Number.POSITIVE_INFINITY }, 40);
    const html = readFileSync(await writeReport(directory), "utf8");
    expect(html).toContain("<dd>3.80</dd>");
    expect(html).toContain("82 % of chance, validation at step 20");
    expect(html).toContain("<dd>21.0 %</dd>");
    expect(html).toContain("21.2 times chance, validation at step 30");
    expect(html).toContain("10 + 20, last validation");
    const titles = [...html.matchAll(/<figcaption><b>(.*?)<\/b>/g)].map(([, title]) => title);
    expect(titles).toEqual([
      "Contrastive loss (nats)",
      "Accuracy: targets found",
      "Perplexity in training",
      "Perplexity in validation",
      "Entries in use",
      "Diversity loss",
      "Cosine similarity",
      "Temperature of the Gumbel softmax",
      "Learning rate",
      "Gradient norm",
      "Seconds of audio a second",
      "Codebook 0",
      "Codebook 1",
      "clip30",
    ]);
    expect(html.match(/>chance</g)).toHaveLength(2);
    expect(html).toContain("usual: 0.5 to 2");
    expect(html).not.toMatch(/https?:|NaN|undefined|Infinity/);
  });

  describe("of a collapse", () => {
    const validation = (perplexity: number, accuracy: number) => ({
      "eval/contrastive_loss": 4 * (1 - accuracy),
      "eval/accuracy": accuracy,
      "eval/codevector_perplexity": perplexity,
      "eval/codevector_perplexity_0": perplexity / 2,
      "eval/codevector_perplexity_1": perplexity / 2,
    });
    const html = async (): Promise<string> => readFileSync(await writeReport(directory), "utf8");
    /** Of two codebooks of so many entries. */
    const collapsed = (entries: number) => {
      const tracker = metricsFile(directory, { resume: false });
      for (const [step, perplexity, accuracy] of [
        [10, 12, 0.25],
        [20, 3.9, 1],
      ] as const) {
        tracker.codebooks([Array(entries).fill(1), Array(entries).fill(1)], step);
        tracker.log(validation(perplexity, accuracy), step);
      }
      return tracker;
    };

    it("shows above all else what was found", async () => {
      const tracker = collapsed(320);
      tracker.note("The codebooks <have> collapsed.", { step: 1250, name: "collapse" });
      tracker.note("A remark.");
      const text = await html();
      const place = text.indexOf("<b>Step 1,250</b> The codebooks &lt;have&gt; collapsed.");
      expect(place).toBeGreaterThan(0);
      expect(place).toBeLessThan(text.indexOf('class="tiles"'));
      expect(text).not.toContain("Last validation");
      expect(text).not.toContain("A remark.");
    });

    it("says it of the last validation where it was not found before, and takes none for the best", async () => {
      collapsed(320);
      const text = await html();
      expect(text).toMatch(/<b>Last validation<\/b> The codebooks have collapsed/);
      expect(text).toContain("<dd>25.0 %</dd>");
      expect(text).not.toContain("<dd>100.0 %</dd>");
    });

    it("takes no codebooks of few entries for collapsed", async () => {
      collapsed(19);
      const text = await html();
      expect(text).not.toContain('class="findings"');
      expect(text).toContain("<dd>100.0 %</dd>");
    });

    it("says nothing where all is well", async () => {
      metricsFile(directory, { resume: false }).log(validation(12, 0.25), 10);
      expect(await html()).not.toContain('class="findings"');
    });
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

  it("draws a reference and a band inside the drawing, whatever the values are", () => {
    for (const values of [[0.1], [3, 9], [1e-4, 1e4]]) {
      for (const scale of ["linear", "log"] as const) {
        for (const from of ["zero", "lowest"] as const) {
          const svg = drawChart({
            title: "t",
            scale,
            from,
            format: String,
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
});
