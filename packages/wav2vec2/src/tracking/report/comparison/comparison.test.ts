import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeRun } from "../run-fixture.js";
import { compareRuns, writeComparison } from "./comparison-report.js";
import { recipeDifferences } from "./recipe-differences.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "comparison-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const seeds = () => [
  writeRun(directory, { name: "digits-1", seed: 1, wer: [0.6, 0.2], heard: "ONE TOO THREE" }),
  writeRun(directory, { name: "digits-2", seed: 2, wer: [0.4, 0.3, 0.1], heard: "OH ONE TWO THREE" }),
];
const fast = () => writeRun(directory, { name: "fast", seed: 1, learningRate: 0.01, wer: [0.5, 0.4] });

describe("compareRuns", () => {
  it("puts runs together that differ only in seed: their mean and range, where both have values", () => {
    const { groups, charts } = compareRuns([...seeds(), fast()]);
    expect(groups.map(({ name, tone }) => [name, tone])).toEqual([
      ["digits (2 runs)", 1],
      ["fast", 2],
    ]);
    const words = charts.find(({ title }) => title === "Error rate on the validation split, words")!;
    expect(
      words.series.map(({ name, points }) => [name, points.map(({ x, y }) => [x, Number(y.toFixed(6))])]),
    ).toEqual([
      [
        "digits (2 runs)",
        [
          [100, 0.5],
          [200, 0.25],
        ],
      ],
      [
        "fast",
        [
          [100, 0.5],
          [200, 0.4],
        ],
      ],
    ]);
    expect(words.series[0]!.range).toEqual([
      { x: 100, low: 0.4, high: 0.6 },
      { x: 200, low: 0.2, high: 0.3 },
    ]);
    expect(words.series[1]!.range).toBeUndefined();
    expect(charts.map(({ title }) => title)).toContain("Training loss");
  });

  it("does not put together what has no recipe, and tells runs of one name apart", () => {
    const [first] = seeds();
    const others = ["a", "b"].map((parent) => {
      mkdirSync(join(directory, parent));
      return writeRun(join(directory, parent), { name: "same", seed: 1, wer: [0.5] });
    });
    for (const other of others) rmSync(join(other, "recipe.yaml"));
    const { groups } = compareRuns([first!, ...others]);
    expect(groups.map(({ name }) => name)).toEqual(["digits-1", ...others]);
  });

  it("takes no runs of different tasks, and says which can be compared", () => {
    const [first, second] = seeds();
    const pretrained = join(directory, "pretrained");
    mkdirSync(pretrained);
    writeFileSync(join(pretrained, "metrics.jsonl"), '{"step":1,"eval/contrastive_loss":4}\n');
    expect(() => compareRuns([first!, pretrained, second!])).toThrow(
      `but ${pretrained} is of pre-training and ${first} and ${second} of fine-tuning. Compare ${first} ${second}.`,
    );
    expect(() => compareRuns([first!, pretrained])).toThrow("Make a report of each.");
  });
});

describe("writeComparison", () => {
  const page = async (...runs: string[]): Promise<string> => {
    const path = join(directory, "compared.html");
    await writeComparison(path, compareRuns(runs));
    return readFileSync(path, "utf8");
  };

  it("shows best and last values, differences, and what each heard, word below word", async () => {
    const html = await page(...seeds(), fast());
    expect(html).toContain("<h1>digits (2 runs) and fast</h1>");
    expect(html).toContain('<span class="best">10 %</span><small>step 300; last 10 %</small>');
    expect(html.match(/class="best"/g)).toHaveLength(3); // WER, CER, CTC loss
    expect(html).toContain("15 %<small>10 % to 20 %</small>");
    expect(html).toContain("it ends at step 200 with the first of them.");
    expect(html).toMatch(/<th scope="row">seed<\/th><td>1<\/td><td>2<\/td><td>1<\/td>/);
    expect(html).toMatch(
      /<th scope="row">optimizer.learning_rate<\/th><td>0.001<\/td><td>0.001<\/td><td>0.01<\/td>/,
    );
    expect(html).toContain('<i>TWO</i><i class="other">TOO</i><i>TWO</i><i>TWO</i>');
    expect(html).toContain('<i>–</i><i>–</i><i class="other">OH</i><i>–</i>');
    expect(html).toContain("<p>digits-2: OH ONE TWO THREE</p>");
    expect(html.match(/data:audio/g)).toHaveLength(1); // the same clip of three runs
    expect(html).not.toMatch(/NaN|undefined|Infinity|https?:/);
  });

  it("says what looked wrong in each, and which have nothing yet", async () => {
    const [first, second] = seeds();
    writeFileSync(join(second!, "findings.jsonl"), '{"step":7,"name":"x","text":"The <loss> grew."}\n');
    const empty = join(directory, "empty");
    mkdirSync(empty);
    writeFileSync(join(empty, "recipe.yaml"), "task: finetune\n");
    const html = await page(first!, second!, empty);
    expect(html).toContain("<h3>digits-2</h3>\n<ul><li><b>Step 7</b> The &lt;loss&gt; grew.</li></ul>");
    expect(html).not.toContain("<h3>digits-1</h3>");
    expect(html).toContain("No metrics yet: empty.");
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("can be written of runs without any metrics, and of those that were not finite", async () => {
    const runs = ["a", "b"].map((name) => {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, "metrics.jsonl"), name === "a" ? "" : '{"step":1,"loss":null}\n');
      return join(directory, name);
    });
    const html = await page(...runs);
    expect(html).toContain("<p>No metrics yet.</p>");
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("recipeDifferences", () => {
  it("has each key that is not the same in all, by its whole name", () => {
    expect(
      recipeDifferences([
        { output: "a", data: { root: "x", noise: { snr_db: [5, 20] } }, preset: "base" },
        { output: "b", data: { root: "x", noise: { snr_db: [5, 10] } }, preset: "base", seed: 1 },
      ]),
    ).toEqual([
      { key: "data.noise.snr_db", values: ["[5,20]", "[5,10]"] },
      { key: "seed", values: ["–", "1"] },
    ]);
  });
});
