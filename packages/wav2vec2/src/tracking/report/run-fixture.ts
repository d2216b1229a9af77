import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeFlac } from "../../audio/flac/flac-writer.js";
import { clipPath } from "../sinks/clip-path.js";
import { metricsFile } from "../sinks/metrics-file.js";
import type { RunFile } from "../sinks/run-file.js";

/** A run of fine-tuning as this version writes it, for tests. */
export interface RunFixture {
  name: string;
  seed: number;
  learningRate?: number;
  /** Word error rates of the validations, a hundred steps apart. */
  wer: readonly number[];
  /** What the last validation heard for ONE TWO THREE. */
  heard?: string;
  run?: Partial<RunFile>;
}

export const CLIP = { id: "u1", path: "/corpus/u1.flac" };

/** @returns the run directory, below `parent` */
export function writeRun(parent: string, fixture: RunFixture): string {
  const { name, seed, learningRate = 0.001, wer, heard = "ONE TWO", run = {} } = fixture;
  const directory = join(parent, name);
  mkdirSync(join(directory, "clips"), { recursive: true });
  const files = metricsFile(directory, { resume: false });
  for (const [index, rate] of wer.entries()) {
    const step = (index + 1) * 100;
    files.log(
      { loss: 1 + rate, learning_rate: learningRate, grad_norm: 1, audio_seconds_per_second: 40 },
      step,
    );
    files.log({ "eval/wer": rate, "eval/cer": rate / 4, "eval/ctc_loss": 10 * rate }, step);
    files.transcripts([{ ...CLIP, reference: "ONE TWO THREE", hypothesis: heard }], step);
  }
  files.close();
  writeFileSync(join(directory, clipPath(CLIP)), encodeFlac(new Float32Array(1600).fill(0.25), 16000));
  writeFileSync(
    join(directory, "recipe.yaml"),
    `task: finetune\nseed: ${seed}\noutput: ${directory}\noptimizer:\n  learning_rate: ${learningRate}\n`,
  );
  const description: Partial<RunFile> = {
    name,
    task: "finetune",
    state: "finished",
    host: "node1",
    device: "cuda:0",
    processes: 2,
    parameters: { all: 1_234_567, trained: 1_000_000 },
    command: ["wav2vec2", "finetune", "--run-name", "it's <mine>"],
    began: Date.UTC(2026, 0, 2, 3, 4),
    steps: 900,
    ...run,
  };
  writeFileSync(join(directory, "run.json"), JSON.stringify(description));
  return directory;
}
