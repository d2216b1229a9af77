// Ends processes of a training at random times, in every phase, and lets it go on, again and again: what is left must be whole,
// nobody may hang or stay, and the losses must be those of a run that was left alone, to the bit.
//   node benchmarks/faults.mjs [--task finetune|pretrain] [--kills 60] [--seed 1] [--json FILE]
// Linux only: what a process does is seen in /proc. Runs the compiled program ('npm run build'). Each launch and each end is
// printed; the table comes last. Two processes train, and sometimes one with the same global batches.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";
import { Random } from "../packages/wav2vec2/dist/data/random.js";

const { values } = parseArgs({
  options: {
    task: { type: "string", default: "finetune" },
    kills: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    json: { type: "string" },
  },
});
const kills = Number(values.kills);
const random = new Random(Number(values.seed), "faults");

/** The tests' own, in TypeScript. */
const load = async (name) => {
  const path = fileURLToPath(new URL(`../packages/wav2vec2/test/${name}.ts`, import.meta.url));
  return (await runnerImport(path, { configFile: false, logLevel: "error", oxc: { target: "es2022" } }))
    .module;
};
const { LaunchFixture, isRunning } = await load("distributed/launch-fixture");
const { LaunchedTraining, signal, stop } = await load("distributed/launched-training");
const { TINY_MODEL, writeToneCorpus } = await load("fixtures/tone-corpus");
const { curveOf, damagedCheckpoints, lastStep } = await load("training/training-process");
const { listCheckpoints } = await import("../packages/wav2vec2/dist/training/checkpoints/checkpoint.js");

const STEPS = 60;
const EVAL_STEPS = 4;
const SAVE_STEPS = 2;
/** Seconds that an exchange waits for a process. */
const TIMEOUT = 5;
/** Seconds that the launcher gives the others to end. */
const PATIENCE = 2;
/** Seconds after which a launcher counts as hanging: time-out, inquiry, patience and starting, several times over. */
const HANGING = 120;
const PHASES = ["start", "data", "forward or backward", "reduction", "checkpoint", "evaluation"];
const KINDS = ["SIGKILL", "SIGKILL", "SIGTERM", "SIGSTOP"];

const fixture = await LaunchFixture.make();
const output = join(fixture.directory, "run");
await writeToneCorpus(join(fixture.directory, "corpus"), { train: 30, dev: 12 });
const pretraining = {
  mask_time_prob: 0.5,
  num_negatives: 10,
  codevector_dim: 16,
  proj_codevector_dim: 16,
  num_codevectors_per_group: 20,
};
const recipe = {
  task: values.task,
  model: { ...TINY_MODEL, ...(values.task === "pretrain" ? pretraining : {}) },
  data: { batch_seconds: 4, root: "corpus" },
  threads: 1,
  max_steps: STEPS,
  logging_steps: 1,
  eval_steps: EVAL_STEPS,
  save_steps: SAVE_STEPS,
  schedule: { warmup_steps: 2 },
  distributed: { timeout: TIMEOUT },
};
writeFileSync(join(fixture.directory, "recipe.yaml"), JSON.stringify(recipe));

function launch(path, { processes = 2, restarts = 0, resume = true } = {}) {
  const args = [values.task, "--config", "recipe.yaml"];
  if (resume) args.push("--resume");
  if (processes === 1) args.push("--gradient-accumulation", "2");
  const options = ["--shutdown-timeout", String(PATIENCE), "--max-restarts", String(restarts)];
  return new LaunchedTraining(fixture, path, args, { processes, evalSteps: EVAL_STEPS, options });
}

const faults = [];
const fault = (text) => {
  faults.push(text);
  console.log(`FAULT: ${text}`);
};

/** Waits for a run's end or until it was started anew. */
async function over(run, attempt) {
  let ended;
  void run.launched.ended.then((end) => {
    ended = end;
  });
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  while (ended === undefined && seconds() < HANGING) {
    await after(10);
    if (run.startedAnew(attempt)) return { anew: true, seconds: seconds() };
  }
  return { ...ended, hangs: ended === undefined, seconds: seconds() };
}

/** What is wrong with what a run has left. */
async function check(pids, when) {
  const left = pids.filter((pid) => isRunning(pid));
  if (left.length > 0) fault(`processes stay: ${left} (${when})`);
  const half = await damagedCheckpoints(output);
  if (half.length > 0) fault(`half states: ${half} (${when})`);
  const newest = (await listCheckpoints(output)).at(-1) ?? 0;
  const lost = lastStep(output) - newest;
  // One may be under way while the next steps are computed, until the next is due.
  if (lost > 2 * SAVE_STEPS) fault(`${lost} steps are lost (${when})`);
  return { left: left.length, half: half.length, lost };
}

/** Lets a run end; its curve must be the undisturbed one. */
async function finish(processes) {
  const run = launch(output, { processes });
  const { code, stderr, hangs } = await over(run, 0);
  if (hangs || code !== 0) fault(`the run does not end well: ${code} ${stderr}`);
  const same = JSON.stringify(curveOf(output)) === undisturbed;
  if (!same) fault(`the curve is another one (${processes} processes)`);
  console.log(`ended as ${processes}: the curve is ${same ? "the same to the bit" : "ANOTHER"}`);
  finished.push({ processes, same });
  rmSync(output, { recursive: true });
}

console.log("undisturbed run …");
const whole = launch(join(fixture.directory, "undisturbed"), { resume: false });
const { code, stderr } = await whole.launched.ended;
if (code !== 0) throw new Error(stderr);
const undisturbed = JSON.stringify(curveOf(whole.output));

const rows = [];
const finished = [];
let run;
for (let i = 0; i < kills; i++) {
  const newest = (await listCheckpoints(output)).at(-1) ?? 0;
  if (!run && newest > STEPS - 2 * EVAL_STEPS) await finish(random.integer(3) === 0 ? 1 : 2);
  run ??= launch(output, {
    processes: random.integer(6) === 0 ? 1 : 2,
    restarts: random.integer(3),
  });
  const { attempt, processes } = run;
  let wanted = PHASES[i % PHASES.length];
  if (processes === 1 && wanted === "reduction") wanted = "forward or backward";
  const rank = random.integer(processes);
  const kind = processes === 1 && wanted === "start" ? "SIGKILL" : KINDS[random.integer(KINDS.length)];
  const fromStep = (await listCheckpoints(output)).at(-1) ?? 0;
  let victim;
  let phase;
  try {
    // Half of the times exactly there, half some time later, wherever that is.
    const release = await run.freezeIn(wanted, rank);
    if (random.integer(2) === 0) {
      for (const pid of run.ranks().values()) signal(pid, "SIGCONT");
      await after(random.uniform() * 300);
      for (const pid of run.ranks().values()) await stop(pid);
    }
    victim = run.ranks().get(rank);
    phase = victim === undefined ? "end" : run.phaseOf(victim);
    const pids = [...run.ranks().values()];
    // Alone, nobody misses a process that stands still.
    const how = kind === "SIGSTOP" && processes === 1 ? "SIGKILL" : kind;
    if (victim !== undefined && how !== "SIGSTOP") signal(victim, how);
    if (victim !== undefined && how === "SIGTERM") signal(victim, "SIGCONT");
    release();
    const end = await over(run, attempt);
    const when = `${how} of rank ${rank} in ${phase}, kill ${i + 1}`;
    if (end.hangs) fault(`hangs (${when})`);
    const state = await check(pids, when);
    const outcome = end.hangs ? "hangs" : end.anew ? "started anew" : `exit ${end.code}`;
    rows.push({
      phase,
      wanted,
      kind: how,
      rank,
      processes,
      outcome,
      seconds: end.seconds,
      fromStep,
      ...state,
    });
    console.log(
      `${i + 1}. ${when} of ${processes} -> ${outcome} after ${end.seconds.toFixed(1)} s, ${state.lost} steps to do anew`,
    );
    if (!end.anew) {
      const expected = { SIGKILL: [137, 200], SIGSTOP: [200], SIGTERM: [143, 200] }[how];
      if (!end.hangs && phase !== "end" && !expected.includes(end.code))
        fault(`exit code ${end.code}: ${end.stderr} (${when})`);
      if (end.hangs) run.launched.child.kill("SIGKILL");
      run = undefined;
    } else run.attempt++;
  } catch (error) {
    // It came to its end before that phase.
    console.log(`${i + 1}. none in ${wanted}: ${error.message.split("\n")[0]}`);
    await run.launched.ended;
    run = undefined;
    i--;
  }
}
if (run) {
  for (const pid of run.ranks().values()) signal(pid, "SIGKILL");
  run.launched.child.kill("SIGTERM");
  await run.launched.ended;
}
await finish(2);
await fixture.remove();

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
console.log(
  `\n| ended in | SIGKILL | SIGTERM | SIGSTOP | hangs | half states | processes left | most steps done anew | seconds to the end, mean and longest |`,
);
console.log("|---|---|---|---|---|---|---|---|---|");
for (const phase of [...PHASES, "end", "all"]) {
  const own = rows.filter((row) => phase === "all" || row.phase === phase);
  if (own.length === 0) continue;
  const count = (kind) => own.filter((row) => row.kind === kind).length;
  const seconds = own.map((row) => row.seconds);
  const cells = [
    phase,
    ...["SIGKILL", "SIGTERM", "SIGSTOP"].map(count),
    own.filter((row) => row.outcome === "hangs").length,
    own.reduce((sum, row) => sum + row.half, 0),
    own.reduce((sum, row) => sum + row.left, 0),
    Math.max(...own.map((row) => row.lost)),
    `${mean(seconds).toFixed(1)}, ${Math.max(...seconds).toFixed(1)}`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
const anew = rows.filter(({ outcome }) => outcome === "started anew").length;
console.log(
  `\n${rows.length} ends, ${anew} started anew by the launcher, the others by --resume; ${finished.length} runs came to their end, ` +
    `${finished.filter(({ same }) => same).length} of them with the undisturbed curve to the bit; ${faults.length} faults.`,
);
if (values.json) writeFileSync(values.json, JSON.stringify({ rows, finished, faults }, undefined, 2));
process.exitCode = faults.length > 0 ? 1 : 0;
