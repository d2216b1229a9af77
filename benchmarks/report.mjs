// How large reports of long runs are, how long they take to be written, and how soon a browser has opened them.
//   node benchmarks/report.mjs [ROWS]
// Writes a run of pre-training of ROWS logged rows (default: 100,000) with everything that a run directory can hold, and
// eight of fine-tuning, into a temporary directory; opens the pages in Chromium seven times each and prints
// the fastest, and beside it that of an empty page: on a machine that does other things too, the others tell of those.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { encodeFlac } from "../packages/wav2vec2/dist/audio/flac/flac-writer.js";
import {
  compareRuns,
  writeComparison,
} from "../packages/wav2vec2/dist/tracking/report/comparison/comparison-report.js";
import { writeReport } from "../packages/wav2vec2/dist/tracking/report/report.js";
import { clipPath } from "../packages/wav2vec2/dist/tracking/sinks/clip-path.js";

const rows = Number(process.argv[2] ?? 100_000);
const OPENED = 7;
const VALIDATIONS = 200;
const SECONDS = 12;
const directory = mkdtempSync(join(tmpdir(), "report-benchmark-"));

const lines = (values) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
const every = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const noise = () => Math.random() - 0.5;

/** Clips of speech's size: what changes all the time does not get smaller as FLAC. */
function writeClips(run, ids) {
  mkdirSync(join(run, "clips"), { recursive: true });
  return ids.map((id) => {
    const samples = Float32Array.from({ length: SECONDS * 16000 }, () => 0.1 * noise());
    const clip = { id, path: `/corpus/${id}.flac` };
    writeFileSync(join(run, clipPath(clip)), encodeFlac(samples, 16000));
    return { id, audio: clipPath(clip) };
  });
}

function writePretraining() {
  const run = join(directory, "pretraining");
  mkdirSync(run);
  const metrics = (prefix) => ({
    [`${prefix}contrastive_loss`]: 4 + noise(),
    [`${prefix}contrastive_loss_to_chance`]: 0.8,
    [`${prefix}diversity_loss`]: 0.5 + noise() / 10,
    [`${prefix}accuracy`]: 0.3 + noise() / 5,
    [`${prefix}codevector_perplexity`]: 300 + 50 * noise(),
    [`${prefix}codevector_perplexity_0`]: 150 + 30 * noise(),
    [`${prefix}codevector_perplexity_1`]: 150 + 30 * noise(),
    [`${prefix}positive_similarity`]: 0.5 + noise(),
    [`${prefix}negative_similarity`]: noise(),
  });
  const validate = Math.ceil(rows / VALIDATIONS);
  const table = every(rows, (index) => {
    const row = { step: index + 1, time: 1e9 + index * 0.4, ...metrics(""), grad_norm: 1 + noise() };
    Object.assign(row, {
      gumbel_temperature: 2,
      learning_rate: 5e-4,
      audio_seconds_per_second: 900 + 100 * noise(),
    });
    return row;
  });
  const validations = table.filter(({ step }) => step % validate === 0);
  writeFileSync(
    join(run, "metrics.jsonl"),
    lines(
      table.flatMap((row) =>
        row.step % validate === 0 ? [row, { step: row.step, time: row.time, ...metrics("eval/") }] : [row],
      ),
    ),
  );
  writeFileSync(
    join(run, "codebooks.jsonl"),
    lines(
      validations.map(({ step }) => ({
        step,
        counts: every(2, () => every(320, () => Math.floor(100 * Math.random()))),
      })),
    ),
  );
  const frames = SECONDS * 50;
  writeFileSync(
    join(run, "coded-clips.jsonl"),
    lines(
      writeClips(
        run,
        every(6, (index) => `clip-${index}`),
      ).map((clip) => ({
        step: rows,
        ...clip,
        seconds: SECONDS,
        waveform: every(600, () => [-Math.random(), Math.random()]),
        masked: every(20, (index) => [index * 25, index * 25 + 12]),
        codes: every(frames, () => every(2, () => Math.floor(320 * Math.random()))),
        found: every(frames, () => Math.random() > 0.5),
      })),
    ),
  );
  writeFileSync(
    join(run, "system.jsonl"),
    lines(
      every(2000, (index) => index).flatMap((index) =>
        every(8, (rank) => ({
          step: index,
          time: 1e9 + index * 15,
          rank,
          host: "node1",
          cpu: 50 + 20 * noise(),
          memory_percent: 40,
          "proc.memory.rssMB": 4000 + index,
          "network.sent": index * 1e6,
          [`gpu.${rank}.gpu`]: 90 + 10 * noise(),
          [`gpu.${rank}.temp`]: 60 + 5 * noise(),
          [`gpu.${rank}.powerWatts`]: 300 + 50 * noise(),
        })),
      ),
    ),
  );
  writeFileSync(
    join(run, "histograms.jsonl"),
    lines(
      every(VALIDATIONS, (index) => index).flatMap((index) =>
        every(200, (name) => ({
          step: index * validate,
          name: `${name % 2 ? "weights" : "gradients"}/layers.${name >> 1}.weight`,
          edges: every(65, (edge) => (edge - 32) / 100),
          counts: every(64, (bin) => Math.round(1000 * Math.exp(-(((bin - 32) / 9) ** 2)) * Math.random())),
        })),
      ),
    ),
  );
  return run;
}

function writeFinetuning(index) {
  const run = join(directory, `finetuning-${index}`);
  mkdirSync(run);
  const count = Math.ceil(rows / 8);
  writeFileSync(
    join(run, "recipe.yaml"),
    `task: finetune\nseed: ${index}\noptimizer:\n  learning_rate: ${1e-4 * (1 + (index >> 1))}\n`,
  );
  writeFileSync(
    join(run, "metrics.jsonl"),
    lines(
      every(count, (step) => ({
        step: step + 1,
        time: 1e9 + step,
        loss: 1 + noise(),
        grad_norm: 1 + noise(),
        learning_rate: 1e-4,
        audio_seconds_per_second: 100,
        ...(step % 100 === 0 && {
          "eval/wer": 0.5 + noise() / 2,
          "eval/cer": 0.1,
          "eval/ctc_loss": 9,
          "eval/blank_share": 0.7,
        }),
      })),
    ),
  );
  writeFileSync(
    join(run, "transcripts.jsonl"),
    lines(
      writeClips(
        run,
        every(12, (clip) => `utterance-${clip}`),
      ).map((clip) => ({
        step: count,
        ...clip,
        reference: "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG AND RUNS AWAY",
        hypothesis: "THE QUICK BROWN FOX JUMPS OVER A LAZY DOG AND RAN AWAY",
      })),
    ),
  );
  return run;
}

const executablePath = execFileSync("sh", ["-c", "command -v chromium || command -v google-chrome"], {
  encoding: "utf8",
}).trim();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

/** Until everything is drawn: the load event, and the frame behind it. */
async function open(path) {
  const times = [];
  for (let round = 0; round < OPENED; round++) {
    const page = await browser.newPage({ viewport: { width: 1180, height: 900 } });
    const began = performance.now();
    await page.goto(pathToFileURL(path).href);
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    times.push(performance.now() - began);
    await page.close();
  }
  return Math.min(...times) / 1000;
}

async function measure(name, path, write) {
  const began = performance.now();
  await write();
  const seconds = (performance.now() - began) / 1000;
  const opened = await open(path);
  console.log(
    `| ${name} | ${(statSync(path).size / 1e6).toFixed(2)} MB | ${seconds.toFixed(1)} s | ${opened.toFixed(2)} s |`,
  );
}

try {
  const pretraining = writePretraining();
  const finetuning = every(8, writeFinetuning);
  const [one, several] = ["one.html", "several.html"].map((name) => join(directory, name));
  console.log("| report | size | written in | opens in |\n|---|---|---|---|");
  const empty = join(directory, "empty.html");
  await measure("an empty page", empty, () => writeFileSync(empty, "<!doctype html><title>empty</title>"));
  await measure(`pre-training, ${rows.toLocaleString("en")} rows`, one, () =>
    writeReport(pretraining, { path: one }),
  );
  await measure(`8 runs of fine-tuning, ${rows.toLocaleString("en")} rows together`, several, () =>
    writeComparison(several, compareRuns(finetuning)),
  );
} finally {
  await browser.close();
  rmSync(directory, { recursive: true });
}
