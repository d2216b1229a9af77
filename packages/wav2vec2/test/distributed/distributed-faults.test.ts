import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { cp, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { checkpointPath, listCheckpoints } from "../../src/training/checkpoints/checkpoint.js";
import { fill, mounted } from "../fixtures/small-disk.js";
import { trainingFixture } from "../training/training-fixture.js";
import { curveOf, damagedCheckpoints, lastStep } from "../training/training-process.js";
import { isRunning, type LaunchFixture } from "./launch-fixture.js";
import { LaunchedTraining, type Phase, signal, stop, type TrainingOptions } from "./launched-training.js";

// What must never happen to a run of several processes, really started and really killed: a process that stays, a checkpoint
// that is half there, a resumed run whose losses are not those of a run that was left alone. Which phase a process is killed
// in is seen from outside (/proc). benchmarks/faults.mjs kills many more. Some runs divide the optimiser's moments, which
// changes no loss and makes the processes wait for each other at a checkpoint.

const STEPS = 24;
const EVAL_STEPS = 4;
const SAVE_STEPS = 2;

let fixture: LaunchFixture;
let undisturbed: ReturnType<typeof curveOf>;
beforeAll(async () => {
  const recipe = {
    max_steps: STEPS,
    eval_steps: EVAL_STEPS,
    save_steps: SAVE_STEPS,
    schedule: { name: "constant", warmup_steps: 2 },
  };
  fixture = await trainingFixture(recipe, { dev: 12 });
  const run = start("undisturbed");
  expect((await run.launched.ended).code).toBe(0);
  undisturbed = curveOf(run.output);
  expect(undisturbed).toHaveLength(STEPS + STEPS / EVAL_STEPS);
}, 240_000);
afterEach(() => fixture.killAll());
afterAll(() => fixture.remove());

function start(
  name: string,
  args: readonly string[] = [],
  options: Partial<TrainingOptions> = {},
): LaunchedTraining {
  const all = ["finetune", "--config", "recipe.yaml", ...args];
  const output = join(fixture.directory, name);
  return new LaunchedTraining(fixture, output, all, { evalSteps: EVAL_STEPS, ...options });
}

/** What must be so whenever a run has ended, however it did. */
async function expectNothingHalf(run: LaunchedTraining): Promise<void> {
  for (const pid of run.seen) expect(isRunning(pid), `process ${pid}`).toBe(false);
  expect(await damagedCheckpoints(run.output)).toEqual([]);
}

/** @see expectNothingHalf */
async function expectLittleLost(run: LaunchedTraining): Promise<void> {
  await expectNothingHalf(run);
  const newest = (await listCheckpoints(run.output)).at(-1) ?? 0;
  // One may be under way while the next steps are computed, until the next is due.
  expect(lastStep(run.output) - newest).toBeLessThanOrEqual(2 * SAVE_STEPS);
}

/** Lets a run end, which must then be as if nothing had happened. */
async function finish(
  name: string,
  args: readonly string[] = [],
  options: Partial<TrainingOptions> = {},
): Promise<string> {
  const newest = (await listCheckpoints(join(fixture.directory, name))).at(-1) ?? 0;
  const run = start(name, ["--resume", ...args], options);
  const { code, stderr } = await run.launched.ended;
  expect(code, stderr).toBe(0);
  await expectLittleLost(run);
  expect(curveOf(run.output)).toEqual(undisturbed);
  for (const place of [run.output, join(run.output, "checkpoints")])
    expect(readdirSync(place).filter((each) => /^\.|\.lock$/.test(each))).toEqual([]);
  if (newest > 0) expect(run.said(0)).toContain("Resumed at step ");
  return run.said(0);
}

const DIVIDED = ["--distributed.zero-stage", "1"];

const kills: readonly (readonly [Phase, number])[] = [
  ["data", 0],
  ["forward or backward", 1],
  ["reduction", 0],
  ["checkpoint", 0],
  ["evaluation", 1],
];

describe.skipIf(process.platform !== "linux")("training in two processes", { timeout: 300_000 }, () => {
  it("goes on to the bit where a process was killed: as two processes, and as one with the same global batches", async () => {
    for (const [place, [phase, rank]] of kills.entries()) {
      const run = start("killed", ["--resume", ...(place % 2 === 0 ? [] : DIVIDED)]);
      const release = await run.freezeIn(phase, rank);
      signal(await run.rank(rank), "SIGKILL");
      release();
      const { code, stderr } = await run.launched.ended;
      expect(code, `in ${phase}: ${stderr}`).toBe(137);
      expect(stderr).toMatch(new RegExp(`^Rank ${rank} failed first .*: it was ended by SIGKILL`));
      await expectLittleLost(run);
    }
    expect(lastStep(join(fixture.directory, "killed"))).toBeGreaterThanOrEqual(EVAL_STEPS);
    await cp(join(fixture.directory, "killed"), join(fixture.directory, "alone"), { recursive: true });
    await finish("killed");
    await finish("alone", ["--gradient-accumulation", "2"], { processes: 1 });
  });

  it("names a process that stands still and the time-out, whatever the clocks say, and ends", async () => {
    const jumps = join(fixture.directory, "clock.mjs");
    // Years apart in the processes, and hours to and fro from one look to the next.
    await writeFile(
      jumps,
      `const { now } = Date; const own = 3.2e11 * (process.env.RANK ?? 2) - 6.4e11;
      Date.now = () => now() + own + 7.2e6 * Math.random();
      globalThis.Date = class extends Date { constructor(...a) { super(...(a.length ? a : [Date.now()])); } };`,
    );
    const env = { NODE_OPTIONS: `--import ${pathToFileURL(jumps)}` };
    const patient = ["--distributed.timeout", "10"];
    const run = start("stopped", patient, { env, options: ["--shutdown-timeout", "2"] });
    const release = await run.freezeIn("forward or backward", 1);
    const stopped = await run.rank(1);
    release();
    const { code, stderr } = await run.launched.ended;
    expect(code).toBe(200);
    expect(stderr).toMatch(/^Rank 0 failed first .*: it exited with 200/);
    expect(stderr).toMatch(
      new RegExp(
        ` of rank 0 must be done within 10 s, but rank 1 \\(\\S+, process ${stopped}\\) has ended or does not answer`,
      ),
    );
    await expectLittleLost(run);
    await finish("stopped", patient, { env });
    expect(await readFile(join(run.output, "log.txt"), "utf8")).toMatch(/^200\d-/m); // the clock was changed
  });

  it("saves at SIGTERM of one process, in all at the same step, and exits as that one", async () => {
    // Never at a step that is saved anyway.
    const run = start("told", ["--save-steps", "1000", ...DIVIDED]);
    await run.until(() => lastStep(run.output) >= 3);
    signal(await run.rank(1), "SIGTERM");
    const { code, stderr } = await run.launched.ended;
    expect(code, stderr + run.said(0)).toBe(143);
    expect(await listCheckpoints(run.output)).toEqual([lastStep(run.output)]);
    await expectLittleLost(run);
    await finish("told", ["--save-steps", "1000"]);
  });

  it("takes the newest whole checkpoint where one is cut and another has a flipped bit", async () => {
    const run = start("damaged", ["--keep-checkpoints", "3"]);
    await run.until(() => lastStep(run.output) >= 11);
    // Without their launcher, processes end by themselves.
    run.ranks();
    signal(run.launched.child.pid!, "SIGKILL");
    await run.launched.ended;
    expect(run.seen.size).toBe(2);
    for (const pid of run.seen) while (isRunning(pid)) await after(20);
    expect(await damagedCheckpoints(run.output)).toEqual([]);
    const [whole, flipped, cut] = (await listCheckpoints(run.output)).slice(-3);
    await truncate(join(checkpointPath(run.output, cut!), "optimizer.safetensors"), 1000);
    const path = join(checkpointPath(run.output, flipped!), "model.safetensors");
    const bytes = await readFile(path);
    bytes[bytes.length / 2]! ^= 1;
    await writeFile(path, bytes);
    const said = await finish("damaged", ["--keep-checkpoints", "3"]);
    expect(said).toMatch(
      new RegExp(`step-${cut} is damaged: optimizer.safetensors must have \\d+ bytes, but has 1000`),
    );
    expect(said).toMatch(
      new RegExp(`step-${flipped} is damaged: model.safetensors is not as it was written`),
    );
    expect(said).toContain(`Resumed at step ${whole} of ${STEPS}.`);
  });

  it("keeps what is saved where the disk is full, and fails in all processes where the last checkpoint does not fit", async ({
    skip,
  }) => {
    const disk = join(fixture.directory, "disk");
    skip(!mounted(disk), "mounting a small disk needs root on Linux");
    try {
      const filler = join(disk, "filler");
      const run = start("disk/run", DIVIDED, { options: ["--shutdown-timeout", "30"] });
      await run.until(() => lastStep(run.output) >= 3);
      const ranks = [...run.ranks().values()];
      for (const rank of ranks) await stop(rank);
      fill(filler);
      for (const rank of ranks) signal(rank, "SIGCONT");
      await run.until(() => run.said(0).includes("must be written, but the disk is full"));
      signal(ranks[0]!, "SIGTERM");
      const { code, stderr } = await run.launched.ended;
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(/checkpoints\/step-\d+ must be written, but the disk is full .* Free space/);
      await expectNothingHalf(run); // steps go on while none can be saved
      rmSync(filler);
      await finish("disk/run");
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  });
});
