import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, appendFileSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { Random } from "../../src/data/random.js";
import { CHROMIUM } from "../fixtures/chromium.js";
import { toneClip } from "../fixtures/tone-corpus.js";

const PROGRAM = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));

/** Where the browser lies that is installed, if any. */
export const BROWSER = process.env.PATH?.split(delimiter)
  .map((directory) => join(directory, CHROMIUM ?? ""))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return CHROMIUM !== undefined;
    } catch {
      return false;
    }
  });

/** A process of the compiled program that serves a dashboard. */
export class DashboardProcess {
  said = "";

  private constructor(
    readonly child: ChildProcess,
    readonly ended: Promise<number | null>,
  ) {}

  /** Waits until it says where it is, or ends. */
  static async start(
    directory: string,
    args: readonly string[] = ["--port", "0"],
  ): Promise<DashboardProcess> {
    const child = spawn(process.execPath, [PROGRAM, "dashboard", directory, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = new Promise<number | null>((done) => child.once("close", (code) => done(code)));
    const dashboard = new DashboardProcess(child, ended);
    const ready = new Promise<void>((done) => {
      for (const stream of [child.stdout!, child.stderr!])
        stream.on("data", (text: Buffer) => {
          dashboard.said += text;
          if (dashboard.said.includes("Ctrl+C")) done();
        });
    });
    await Promise.race([ready, ended]);
    return dashboard;
  }

  /** With the token, where there is one. */
  get url(): string {
    return /http:\S+/.exec(this.said)![0];
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** As Ctrl+C does. @returns its exit code */
  async stop(): Promise<number | null> {
    this.child.kill("SIGINT");
    return await this.ended;
  }
}

export function jsonLines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** A run directory as training leaves it, or is leaving it now. */
export class WrittenRun {
  readonly directory: string;

  constructor(
    root: string,
    readonly id: string,
    options: { task: "pretrain" | "finetune"; state: "running" | "finished"; steps: number; seed?: number },
  ) {
    const { task, state, steps, seed = 0 } = options;
    this.directory = join(root, id);
    mkdirSync(join(this.directory, "clips"), { recursive: true });
    const name = id.split("/").at(-1)!;
    this.write(
      "run.json",
      JSON.stringify({
        name,
        task,
        state,
        steps,
        host: "machine",
        device: "cpu",
        processes: 1,
        began: Date.now(),
      }),
    );
    this.write(
      "recipe.yaml",
      `task: ${task}\nseed: ${seed}\nmax_steps: ${steps}\noptimizer:\n  learning_rate: 1.0e-3\n`,
    );
    this.write("log.txt", "2026-01-01T00:00:00.000Z  It begins.\n");
    if (state === "running")
      this.write("run.lock", JSON.stringify({ pid: process.pid, host: hostname(), id: "test" }));
    for (const clip of ["a", "b"])
      this.write(`clips/${clip}.flac`, encodeFlac(toneClip("ABCAB", new Random(1, clip)), 16_000));
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.directory, name), content);
  }

  append(name: string, rows: readonly object[]): void {
    appendFileSync(join(this.directory, name), jsonLines(rows));
  }
}

/** A fine-tuning with everything that one can have. */
export function writeFinetuning(root: string, id: string, seed = 0): WrittenRun {
  const run = new WrittenRun(root, id, { task: "finetune", state: "finished", steps: 500, seed });
  const rows: object[] = [];
  for (let step = 5; step <= 500; step += 5) {
    const loss = step === 250 ? null : 3 * Math.exp(-step / 200) + 0.1 * Math.sin(step + seed);
    rows.push({
      step,
      time: 1e9 + step,
      loss,
      learning_rate: 1e-3,
      grad_norm: 1 + Math.sin(step) ** 2,
      audio_seconds: 60,
    });
    if (step % 100 === 0)
      rows.push({
        step,
        time: 1e9 + step,
        "eval/wer": 1 - step / 700,
        "eval/cer": 0.5 - step / 1400,
        "eval/ctc_loss": 9,
        "eval/blank_share": 0.6,
      });
  }
  run.append("metrics.jsonl", rows);
  for (const step of [100, 500])
    run.append("transcripts.jsonl", [
      {
        step,
        id: "a",
        reference: "ONE TWO THREE",
        hypothesis: step === 100 ? "ONE TREE FOUR" : "ONE TWO THREE",
        audio: "clips/a.flac",
      },
      { step, id: "b", reference: "FIVE SIX", hypothesis: "FIVE", audio: "clips/b.flac" },
    ]);
  run.append("findings.jsonl", [
    { step: 250, name: "not-finite", text: "The loss is not finite. <b>Lower</b> the learning rate." },
  ]);
  run.append(
    "histograms.jsonl",
    [100, 200].map((step) => ({
      step,
      name: "weights/lm_head.weight",
      edges: [-1, 0, 1],
      counts: [3, step],
    })),
  );
  run.append(
    "system.jsonl",
    [0, 1].flatMap((rank) =>
      [100, 200].map((step) => ({
        step,
        time: 1e9 + step,
        rank,
        host: "machine",
        cpu: 50 + rank,
        "gpu.0.temp": 60,
      })),
    ),
  );
  return run;
}

/** A pre-training with everything that one can have. */
export function writePretraining(root: string, id: string): WrittenRun {
  const run = new WrittenRun(root, id, { task: "pretrain", state: "finished", steps: 400 });
  const rows: object[] = [];
  for (let step = 10; step <= 400; step += 10) {
    const values = (prefix: string) => ({
      [`${prefix}contrastive_loss`]: 4.6 - step / 400,
      [`${prefix}contrastive_loss_to_chance`]: (4.6 - step / 400) / 4.615,
      [`${prefix}accuracy`]: step / 800,
      [`${prefix}codevector_perplexity`]: 80,
      [`${prefix}codevector_perplexity_0`]: 42,
      [`${prefix}codevector_perplexity_1`]: 38,
    });
    rows.push({ step, time: 1e9 + step, ...values(""), grad_norm: 1.2, audio_seconds: 60 });
    if (step % 100 === 0) rows.push({ step, time: 1e9 + step, ...values("eval/") });
  }
  run.append("metrics.jsonl", rows);
  run.append(
    "codebooks.jsonl",
    [100, 200, 300, 400].map((step) => ({
      step,
      counts: [0, 1].map((group) => Array.from({ length: 40 }, (_, entry) => (entry * step + group) % 7)),
    })),
  );
  const frames = Array.from({ length: 50 }, (_, frame) => frame);
  run.append("coded-clips.jsonl", [
    {
      step: 400,
      id: "a",
      seconds: 1,
      waveform: frames.map((frame) => [-Math.abs(Math.sin(frame)), Math.abs(Math.cos(frame))]),
      masked: [
        [5, 15],
        [30, 40],
      ],
      codes: frames.map((frame) => [frame % 9, frame % 5]),
      found: frames.map((frame) => frame % 2 === 0),
      audio: "clips/a.flac",
    },
  ]);
  return run;
}
