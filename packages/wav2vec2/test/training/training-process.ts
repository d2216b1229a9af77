import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { checkpointPath, listCheckpoints } from "../../src/training/checkpoints/checkpoint.js";
import { verifyDirectory } from "../../src/training/checkpoints/manifest.js";
import { textOf } from "../fixtures/text-of.js";

export const PROGRAM = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));

type Row = Record<string, number>;

/** How a process ended: its exit code, or the signal that ended it. */
export type End = number | NodeJS.Signals;

/** A training process of the compiled program. */
export class TrainingProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<End>;
  /** What it has written to stderr so far. */
  said = "";

  /** @param output run directory @param args options behind it */
  constructor(
    directory: string,
    readonly output: string,
    args: readonly string[],
    options: { env?: Record<string, string>; command?: "finetune" | "pretrain" } = {},
  ) {
    const { env, command = "finetune" } = options;
    const all = [PROGRAM, command, "--output", output, ...args];
    this.child = spawn(process.execPath, all, {
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...env },
      detached: true, // a group of its own, as a terminal's jobs are
    });
    this.child.stderr!.on("data", (text: Buffer) => {
      this.said += text;
    });
    this.ended = new Promise((resolve) =>
      this.child.once("close", (code, signal) => resolve(code ?? signal ?? -1)),
    );
  }

  /** To all its processes, as Ctrl+C in a terminal. */
  kill(signal: NodeJS.Signals): void {
    if (this.child.exitCode === null && this.child.signalCode === null)
      process.kill(-this.child.pid!, signal);
  }

  /** Waits until something is so, and fails where the process ends before. */
  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    let end: End | undefined;
    void this.ended.then((how) => {
      end = how;
    });
    while (!(await isSo())) {
      if (end !== undefined) throw new Error(`The process ended with ${end} before: ${this.said}`);
      await after(5);
    }
  }
}

/** Lines of `metrics.jsonl`; none where there is no file, which a run that begins anew removes at any moment. */
export function rowsOf(output: string): Row[] {
  const lines = textOf(join(output, "metrics.jsonl")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Row);
}

/** The newest step that has its line. */
export function lastStep(output: string): number {
  return rowsOf(output).findLast((row) => "loss" in row)?.step ?? 0;
}

/** What must be the same, to the bit, however often a run was disturbed. */
export function curveOf(output: string): Row[] {
  return rowsOf(output).map(
    ({ time: _, audio_seconds_per_second: __, data_wait_share: ___, memory_mb: ____, ...row }) => row,
  );
}

/** What is wrong with each checkpoint of a run that is not whole. */
export async function damagedCheckpoints(output: string): Promise<string[]> {
  const damaged: string[] = [];
  for (const step of await listCheckpoints(output)) {
    const verdict = await verifyDirectory(checkpointPath(output, step));
    if (!verdict.whole) damaged.push(`step-${step}: ${verdict.fault}`);
  }
  return damaged;
}
