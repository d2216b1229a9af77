import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { main } from "../../src/cli/main.js";
import { Random } from "../../src/data/random.js";
import { bootstrapWer } from "../../src/evaluation/comparison/bootstrap.js";
import { compareResults } from "../../src/evaluation/comparison/compare.js";
import type { EvaluatedUtterance } from "../../src/evaluation/evaluation.js";
import { writeComparisonReport, writeEvaluationReport } from "../../src/evaluation/report/report.js";
import {
  bootstrapUnits,
  confusionsOf,
  groupScores,
  scoresOf,
  sumSeconds,
} from "../../src/evaluation/summary.js";
import { textErrors } from "../../src/text/scoring/error-rate.js";
import { writeRun } from "../../src/tracking/report/run-fixture.js";
import { clipPath } from "../../src/tracking/sinks/clip-path.js";
import { metricsFile } from "../../src/tracking/sinks/metrics-file.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { CHROMIUM } from "../fixtures/chromium.js";
import { toneClip } from "../fixtures/tone-corpus.js";

let directory: string;
const at = (name: string): string => join(directory, name);
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "reports-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What axe says of a page (https://www.deque.com/axe). */
interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

/** A run of pre-training with everything that a report shows of one. */
function writePretraining(name: string): string {
  const run = at(name);
  const files = metricsFile(run, { resume: false });
  for (let step = 1; step <= 300; step++) {
    const metrics = {
      contrastive_loss: 5 - step / 200 + Math.sin(step),
      accuracy: step / 1000,
      grad_norm: 1,
    };
    files.log({ ...metrics, codevector_perplexity: 30, codevector_perplexity_0: 14 }, step);
    if (step % 100 > 0) continue;
    files.log({ "eval/contrastive_loss": 4 - step / 300, "eval/accuracy": step / 1000 }, step);
    files.codebooks([[step, 1, 0, 2]], step);
    files.histograms({ "weights/a": { edges: [-1, 0, 1], counts: [step, 2] } }, step);
    files.system(
      [{ time: 1e12 + step * 1e3, rank: 0, host: "node1", values: { cpu: 50, "gpu.0.gpu": 90 } }],
      step,
    );
    const clip = {
      id: "clip",
      seconds: 1.2,
      waveform: [[-1, 1]] as [number, number][],
      masked: [[0, 1]] as [number, number][],
      codes: [[0], [1]],
      found: [true, false],
      path: "/corpus/clip.flac",
    };
    files.codedClips([clip], step);
    mkdirSync(join(run, "clips"), { recursive: true });
    writeFileSync(
      join(run, clipPath(clip)),
      encodeFlac(toneClip("ABCABCAB", new Random(1, "report")), 16000),
    );
  }
  files.note("The loss grew.", { step: 150, name: "loss" });
  files.close();
  writeFileSync(join(run, "recipe.yaml"), "task: pretrain\nseed: 1\n");
  return run;
}

/** An evaluation and a comparison, as pages. */
async function writeEvaluations(): Promise<[string, string]> {
  const utterances = Array.from({ length: 20 }, (_, index): EvaluatedUtterance => {
    const [reference, hypothesis] = ["ONE TWO THREE", index % 3 ? "ONE TWO" : "ONE TOO THREE"];
    return {
      id: `u${index}`,
      path: at("none.flac"),
      reference,
      hypothesis,
      speaker: String(index % 3),
      seconds: 1 + index,
      frames: 100,
      blankShare: 0.5,
      confidence: 0.9,
      ...textErrors(reference, hypothesis),
    };
  });
  const result = {
    model: "model",
    data: "corpus",
    unit: "word" as const,
    decoding: { beam_width: 1 },
    textNormalization: [],
    ...scoresOf(utterances),
    werInterval: bootstrapWer(bootstrapUnits(utterances, "utterance"), { resamples: 100 }),
    bootstrap: { by: "utterance" as const, resamples: 100, seed: 0 },
    utteranceCount: utterances.length,
    seconds: sumSeconds(utterances),
    blankShare: 0.5,
    confidence: 0.9,
    ctcLoss: 1,
    groups: groupScores(utterances, 0),
    confusions: confusionsOf(utterances),
    unknownCharacters: { utterances: 0, characters: [] },
    utterances,
    skipped: [],
  };
  const right = utterances.map((each) => ({ ...each, hypothesis: each.reference }));
  const comparison = compareResults(
    { ...result, file: "a.json" },
    { ...result, utterances: right, file: "b.json" },
    {},
  );
  const [evaluation, compared] = [at("evaluation.html"), at("compared.html")];
  await writeEvaluationReport(evaluation, result, { clips: 0 });
  await writeComparisonReport(compared, comparison, { clips: 0 });
  return [evaluation, compared];
}

describe("report", () => {
  const output = new CapturedOutput();
  beforeEach(() => output.start());
  afterEach(() => vi.restoreAllMocks());

  it("writes report.html into the run directory, and curves as PNGs where asked to", async () => {
    const run = writeRun(directory, { name: "one", seed: 1, wer: [0.5, 0.25] });
    expect([await main(["report", run, "--png", at("png")]), output.stderr]).toEqual([0, ""]);
    expect(output.stdout).toMatch(/^report {2}.*one\/report\.html {2}0\.\d\d MB\npng {5}.* {2}6 curves\n$/);
    expect(readFileSync(join(run, "report.html"), "utf8")).toContain("<dd>25.0 %</dd>");
    expect(readdirSync(at("png"))).toContain("error-rate-on-the-validation-split.png");
    for (const name of readdirSync(at("png")))
      expect(readFileSync(at(`png/${name}`)).toString("latin1", 1, 4)).toBe("PNG");
  });

  it("compares several, wherever it is told to", async () => {
    const runs = [1, 2].map((seed) =>
      writeRun(directory, { name: `seed-${seed}`, seed, wer: [0.5, seed / 10] }),
    );
    const path = at("both.html");
    expect(await main(["report", ...runs, "--output", path, "--smooth", "0.5", "--json"])).toBe(0);
    expect(JSON.parse(output.stdout)).toEqual({ report: path, png: [] });
    expect(readFileSync(path, "utf8")).toContain("<h1>seed-1 (2 runs)</h1>");
  });

  it("says what is wrong with what it is given, and leaves no page behind", async () => {
    const run = writeRun(directory, { name: "wrong", seed: 1, wer: [0.5] });
    const pretraining = writePretraining("wrong-task");
    for (const [args, code, message] of [
      [[at("wrnog")], 1, `Did you mean ${run}?`],
      [[run, join(run, "clips")], 1, `Give the run that it lies in: ${run}.`],
      [[run, `${run}/`], 2, "is given twice"],
      [[run, pretraining], 1, "must be trained for the same"],
      [[run, "--output", directory], 1, "is a directory"],
      [[run, "--output", at("no/where.html")], 1, "is missing or read-only"],
      [[run, "--png", join(run, "run.json")], 1, "must be a directory that can be written to"],
      [[run, "--smooth", "1"], 2, "from 0 to below 1"],
      [[], 2, "missing required argument"],
    ] as const) {
      output.clear();
      expect([await main(["report", ...args]), output.stderr]).toEqual([
        code,
        expect.stringContaining(message),
      ]);
    }
    expect(existsSync("report-comparison.html")).toBe(false);
  });
});

describe.runIf(CHROMIUM)("the pages in a browser (skipped without Chromium)", () => {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = execFileSync("sh", ["-c", `command -v ${CHROMIUM}`], { encoding: "utf8" }).trim();
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--mute-audio"] });
  });
  afterAll(() => browser.close());

  const visit = async (path: string, look: { width?: number; dark?: boolean } = {}): Promise<Page> => {
    const { width = 1180, dark = false } = look;
    const page = await browser.newPage({
      viewport: { width, height: 900 },
      colorScheme: dark ? "dark" : "light",
    });
    page.on("pageerror", (error) => expect.unreachable(error.message));
    await page.goto(pathToFileURL(path).href);
    return page;
  };

  it("can be used without seeing them, in light, dark and on a phone, by axe's rules", async () => {
    const runs = ["a", "b"].map((name, seed) => writeRun(directory, { name, seed, wer: [0.5, 0.2] }));
    const pretraining = writePretraining("pretraining");
    const compared = at("runs.html");
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    expect(await main(["report", pretraining])).toBe(0);
    expect(await main(["report", ...runs, "--output", compared])).toBe(0);
    vi.restoreAllMocks();
    const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
    for (const path of [join(pretraining, "report.html"), compared, ...(await writeEvaluations())]) {
      for (const look of [{}, { dark: true }, { width: 390 }]) {
        const page = await visit(path, look);
        await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
        await page.addScriptTag({ path: axe });
        const violations = await page.evaluate<Violation[]>(
          "axe.run(document).then((result) => result.violations)",
        );
        const problems = violations
          .filter(({ impact }) => ["serious", "critical"].includes(impact))
          .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
        expect(problems, `${path} ${JSON.stringify(look)}`).toEqual([]);
        const wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        expect(wide, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
        await page.close();
      }
    }
  });

  it("tell values where one points, and play a clip with its place in the drawing", async () => {
    const run = writePretraining("playing");
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    expect(await main(["report", run])).toBe(0);
    vi.restoreAllMocks();
    const page = await visit(join(run, "report.html"));
    const chart = page.locator("svg.chart").first();
    const box = (await chart.boundingBox())!;
    await chart.hover({ position: { x: box.width * 0.97, y: box.height / 2 } });
    const tip = await page.locator(".tip").innerText();
    expect(tip).toMatch(/^step 300\ntraining {2}2\.5\d*\nvalidation {2}3$/);
    await page.mouse.move(5, 5);
    expect(await page.locator(".tip").count()).toBe(0);

    // What happens while it plays is noted in the page: a busy machine may look when it is over.
    await page.evaluate(`{
      const button = document.querySelector(".play");
      const figure = button.closest("figure");
      (function look() {
        const place = Number(figure.style.getPropertyValue("--played"));
        if (button.getAttribute("aria-pressed") === "true" && place > 0.05) window.passed = place;
        requestAnimationFrame(look);
      })();
    }`);
    await page.getByRole("button", { name: "Play clip" }).click();
    await page.waitForFunction("window.passed > 0.05");
    await page.waitForFunction(
      "!document.querySelector('.playing') && document.getElementById('player').ended",
    );
    await page.close();
  });
});
