// What pre-training is worth: for each seed a tiny network is pre-trained on all clips of a corpus without their transcripts
// and fine-tuned on a tenth of them, and the same network is trained from random weights on the same clips for as many seconds
// of audio, with the batches, rate and masks that suit it; then both are tested.
//   node benchmarks/transfer.mjs DATA OUTPUT [SEEDS] [THREADS]
// For example, three seeds, each with one thread, so that two such programs can share two cores:
//   node benchmarks/transfer.mjs ../shared/data/fsdd-strings runs/transfer 1,2,3 1
// Started again it goes on where it was interrupted. The table comes at the end, and as OUTPUT/results.json.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [data, output, seeds = "1,2,3", threads = "2"] = process.argv.slice(2);
const root = fileURLToPath(new URL("..", import.meta.url));
const program = join(root, "packages/wav2vec2/bin/wav2vec2.js");

function wav2vec2(args) {
  const { status, stdout } = spawnSync(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(stdout);
}

/** The last validation's metrics and the minutes that the steps took. */
function summaryOf(run) {
  const rows = readFileSync(join(run, "metrics.jsonl"), "utf8").trim().split("\n").map(JSON.parse);
  const steps = rows.filter((row) => "audio_seconds" in row);
  const seconds = steps.reduce(
    (sum, row, i) =>
      sum + ((row.step - (steps[i - 1]?.step ?? 0)) * row.audio_seconds) / row.audio_seconds_per_second,
    0,
  );
  return { ...rows.findLast((row) => "eval/loss" in row || "eval/wer" in row), minutes: seconds / 60 };
}

function train(task, name, seed, more) {
  const run = join(output, name);
  const config = ["--config", join(root, `configs/${task}-tiny.yaml`), "--data", data, "--output", run];
  if (!existsSync(join(run, "final")))
    wav2vec2([task, ...config, "--seed", seed, "--threads", threads, "--resume", "--json", ...more]);
  return run;
}

/**
 * Random weights hardly learn with the recipe's small batches, high rate and strong masks. With these they do, and hear as
 * many seconds.
 */
const FROM_RANDOM = [
  ...["--data.batch-seconds", "12", "--max-steps", "2500", "--schedule.warmup-steps", "250"],
  ...["--optimizer.learning-rate", "1e-3"],
  ...["--model.mask_time_prob", "0.12", "--model.mask_feature_prob", "0.05"],
];

/** Word errors on the test split of the model that was best on dev. */
function test(run) {
  const args = ["evaluate", join(run, "best"), "--data", data, "--split", "test", "--json"];
  const { wer, cer, words, substitutions, deletions, insertions } = wav2vec2(args);
  return { wer, cer, words, errors: substitutions + deletions + insertions };
}

mkdirSync(output, { recursive: true });
const results = [];
for (const seed of seeds.split(",")) {
  const pretrained = train("pretrain", `pretrained-${seed}`, seed, []);
  const tuned = train("finetune", `tuned-${seed}`, seed, ["--model", join(pretrained, "final")]);
  const random = train("finetune", `random-${seed}`, seed, FROM_RANDOM);
  results.push({
    seed,
    pretraining: summaryOf(pretrained),
    tuned: { ...summaryOf(tuned), test: test(tuned) },
    random: { ...summaryOf(random), test: test(random) },
  });
  writeFileSync(join(output, "results.json"), `${JSON.stringify(results, undefined, 2)}\n`);
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const minutes = (...runs) => runs.map((run) => run.minutes.toFixed(0)).join(" + ");
console.log(
  "| seed | contrastive loss | accuracy | perplexity | minutes | WER from random | WER pre-trained | fewer |",
);
console.log("|---|---|---|---|---|---|---|---|");
const errors = { tuned: 0, random: 0 };
for (const { seed, pretraining, tuned, random } of results) {
  errors.tuned += tuned.test.errors;
  errors.random += random.test.errors;
  const cells = [
    seed,
    pretraining["eval/contrastive_loss"].toFixed(3),
    percent(pretraining["eval/accuracy"]),
    pretraining["eval/codevector_perplexity"].toFixed(1),
    minutes(pretraining, tuned),
    percent(random.test.wer),
    percent(tuned.test.wer),
    percent(1 - tuned.test.errors / random.test.errors),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
console.log(`All seeds: ${percent(1 - errors.tuned / errors.random)} fewer word errors.`);
