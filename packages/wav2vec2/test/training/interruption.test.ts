import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listCheckpoints } from "../../src/training/checkpoints/checkpoint.js";
import { textOf } from "../fixtures/text-of.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";
import {
  curveOf,
  damagedCheckpoints,
  lastStep,
  PROGRAM,
  rowsOf,
  TrainingProcess,
} from "./training-process.js";

// Real processes, really interrupted and really killed; they run the compiled program.

// The `script` of other systems has other options.
const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interruption-"));
  await writeToneCorpus(join(directory, "corpus"), { train: 30, dev: 3, long: 250 });
  const recipe = {
    model: TINY_MODEL,
    data: { batch_seconds: 4 },
    threads: 1,
    logging_steps: 1,
    save_steps: 10,
  };
  await writeFile(join(directory, "recipe.yaml"), JSON.stringify(recipe));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function start(name: string, ...args: string[]): TrainingProcess {
  const all = ["--config", "recipe.yaml", "--data", "corpus", ...args];
  return new TrainingProcess(directory, join(directory, name), all);
}

const upTo = (step: number) => Array.from({ length: step }, (_, i) => i + 1);
const stepsOf = (output: string) => rowsOf(output).flatMap((row) => ("loss" in row ? row.step! : []));

describe("a training process", { timeout: 120_000 }, () => {
  it("saves and exits with 130 at Ctrl+C, and goes on where it stopped", async () => {
    const run = start("interrupted", "--data.workers", "2"); // whose threads get no signals
    const { output } = run;
    await run.until(() => lastStep(output) >= 5);
    run.kill("SIGINT");
    expect(await run.ended).toBe(130);
    const last = lastStep(output);
    expect(await listCheckpoints(output)).toContain(last);
    expect(run.said).toContain(`Interrupted after step ${last}; the checkpoint is complete.`);
    expect(await start("interrupted", "--resume", "--max-steps", String(last + 3)).ended).toBe(0);
    expect(stepsOf(output)).toEqual(upTo(last + 3));
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGUSR1", 138],
    ["SIGUSR2", 140],
  ] as const)("saves at %s while it is saving and exits with %d", async (signal, code) => {
    const run = start(signal, "--save-steps", "1");
    const { output } = run;
    await run.until(() => lastStep(output) >= 3);
    run.kill(signal);
    expect(await run.ended).toBe(process.platform === "linux" ? code : expect.any(Number));
    expect((await listCheckpoints(output)).at(-1)).toBe(lastStep(output));
    expect(await damagedCheckpoints(output)).toEqual([]);
    expect(run.said).toContain(`Interrupted by ${signal}. Saving a checkpoint`);
    expect(run.said).not.toContain("Debugger listening");
  });

  it("saves where two signals come at once: a terminal's Ctrl+C and what a launcher sends on", async () => {
    const run = start("both", "--save-steps", "1");
    await run.until(() => lastStep(run.output) >= 3);
    run.kill("SIGINT");
    run.kill("SIGTERM");
    // Which comes first is the system's choice; the second may come when all is done.
    expect([130, 143, "SIGINT", "SIGTERM"]).toContain(await run.ended);
    expect((await listCheckpoints(run.output)).at(-1)).toBe(lastStep(run.output));
    expect(run.said).toContain("the checkpoint is complete");
  });

  it("exits at once at a second signal, with that one's code", async () => {
    const run = start("twice", "--gradient-accumulation", "100000"); // it never comes to save
    await run.until(() => run.said.includes("to train on"));
    await after(300);
    run.kill("SIGINT");
    await run.until(() => run.said.includes("press Ctrl+C again"));
    await after(600);
    run.kill("SIGTERM");
    expect(await run.ended).toBe(143);
    expect(await listCheckpoints(run.output)).toEqual([]);
    const again = start("twice", "--max-steps", "1"); // it left nothing that is in the way
    expect(await again.ended).toBe(0);
  });

  it("stops a validation, which the resumed run does", async () => {
    const settings = ["--data.eval-split", "long", "--eval-steps", "2", "--max-steps", "3"];
    const undisturbed = start("whole", ...settings);
    const run = start("evaluating", ...settings);
    const { output } = run;
    await run.until(() => lastStep(output) === 2);
    run.kill("SIGTERM");
    expect(await run.ended).toBe(143);
    expect(rowsOf(output).map(({ step, loss }) => loss && step)).toEqual([1, 2]); // no validation
    expect(await listCheckpoints(output)).toEqual([2]);
    expect(await start("evaluating", "--resume", ...settings).ended).toBe(0);
    expect(await undisturbed.ended).toBe(0);
    expect(curveOf(output)).toEqual(curveOf(undisturbed.output));
  });

  it("leaves nothing where it is stopped before there is anything to save", async () => {
    for (const [wait, signal, code] of [
      [50, "SIGINT", 130],
      [400, "SIGTERM", 143],
    ] as const) {
      const run = start("start-up");
      await after(wait);
      run.kill(signal);
      expect([code, signal]).toContain(await run.ended); // before Node.js listens the system ends it
      expect(await listCheckpoints(run.output)).toEqual([]);
    }
    const run = start("start-up");
    await run.until(() => existsSync(join(run.output, "run.lock")));
    run.kill("SIGUSR1");
    expect(await run.ended).toBe(138);
    expect(await start("start-up", "--max-steps", "1").ended).toBe(0);
  });

  it.skipIf(!hasScript)("saves where its terminal is closed, and goes on where it stopped", async () => {
    const output = join(directory, "terminal");
    const options = ["--config", "recipe.yaml", "--data", "corpus", "--output", output];
    const command = [process.execPath, PROGRAM, "finetune", ...options].join(" ");
    const terminal = spawn("script", ["-qec", `exec ${command}`, "/dev/null"], {
      cwd: directory,
      stdio: ["pipe", "ignore", "ignore"],
    });
    while (lastStep(output) < 5) await after(20);
    terminal.kill("SIGKILL"); // its end of the terminal is closed with it
    while (!textOf(join(output, "log.txt")).includes("the checkpoint is complete")) await after(20);
    const last = lastStep(output);
    expect(await listCheckpoints(output)).toContain(last);
    while (existsSync(join(output, "run.lock"))) await after(20);
    expect(await start("terminal", "--resume", "--max-steps", String(last + 2)).ended).toBe(0);
    expect(stepsOf(output)).toEqual(upTo(last + 2));
  });

  it.skipIf(!hasScript)("goes on without its terminal where nohup started it", async () => {
    const output = join(directory, "nohup");
    const options = ["--config", "recipe.yaml", "--data", "corpus", "--max-steps", "30", "--output", output];
    const command = ["nohup", process.execPath, PROGRAM, "finetune", ...options, ">", "/dev/null"].join(" ");
    const shell = spawn("bash", ["-c", `${command}; true`], {
      cwd: directory,
      stdio: "ignore",
      detached: true,
    });
    while (lastStep(output) < 3) await after(20);
    process.kill(-shell.pid!, "SIGHUP"); // as the terminal does, to all processes
    while (!existsSync(join(output, "final"))) await after(20);
    expect(lastStep(output)).toBe(30);
  });

  it("goes on where nobody reads any more what it says", async () => {
    const run = start("unread", "--max-steps", "30");
    run.child.stderr!.destroy();
    expect(await run.ended).toBe(0);
    expect(lastStep(run.output)).toBe(30);
  });
});
