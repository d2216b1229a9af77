// What this project wants to reach on two cores, and how far it is: one line a goal, from the rows that were measured.
import { jobFlops } from "./jobs.mjs";
import { ROWS } from "./programs.mjs";
import { peaksOf, summarize } from "./table.mjs";

const OURS = "wav2vec2";
const BASE = "inference-base-4x10";

/**
 * @typedef {object} Goal
 * @property {string} what
 * @property {string} job
 * @property {string} over a program, `floor` for the job's matrix products at the peak, the name of another job, or `none`
 *   for seconds themselves
 * @property {"seconds" | "peakMb"} [of] default: seconds
 * @property {string} [precision] of this project; without, the fastest that was measured
 * @property {string} [beside] the other's precision; without, the fastest that was measured
 * @property {number} atMost
 */

/** @type {readonly Goal[]} */
export const GOALS = [
  { what: "inference, float32", job: BASE, over: "transformers", ...both("float32"), atMost: 0.65 },
  { what: "inference, float32", job: BASE, over: "onnxruntime", ...both("float32"), atMost: 0.55 },
  { what: "inference, float32", job: BASE, over: "floor", ...both("float32"), atMost: 1.2 },
  { what: "inference, fastest", job: BASE, over: "onnxruntime", beside: "float32", atMost: 0.5 },
  { what: "fine-tuning step, fastest", job: "finetune-frozen", over: "transformers", atMost: 0.55 },
  {
    what: "fine-tuning step, float32",
    job: "finetune-frozen",
    over: "floor",
    ...both("float32"),
    atMost: 1.5,
  },
  { what: "fine-tuning step, fastest", job: "finetune-frozen", over: "floor", atMost: 1.5 },
  { what: "pre-training step, fastest", job: "pretrain-base", over: "transformers", atMost: 0.4 },
  {
    what: "pre-training step, float32",
    job: "pretrain-base",
    over: "floor",
    ...both("float32"),
    atMost: 1.8,
  },
  { what: "pre-training step, fastest", job: "pretrain-base", over: "floor", atMost: 1.8 },
  {
    what: "the tiny network's step",
    job: "pretrain-tiny",
    over: "transformers",
    ...both("float32"),
    atMost: 0.15,
  },
  {
    what: "memory of inference",
    job: BASE,
    over: "transformers",
    of: "peakMb",
    ...both("float32"),
    atMost: 0.6,
  },
  {
    what: "memory of fine-tuning",
    job: "finetune-frozen",
    over: "transformers",
    of: "peakMb",
    ...both("float32"),
    atMost: 0.7,
  },
  {
    what: "memory of pre-training",
    job: "pretrain-base",
    over: "transformers",
    of: "peakMb",
    ...both("float32"),
    atMost: 0.7,
  },
  {
    what: "beside a busy process",
    job: "busy",
    over: "inference-base-1x10",
    ...both("float32"),
    atMost: 2.2,
  },
  { what: "`--help`, seconds", job: "help", over: "none", ...both("float32"), atMost: 0.15 },
  { what: "first transcript, seconds", job: "first", over: "none", ...both("float32"), atMost: 0.6 },
];

function both(precision) {
  return { precision, beside: precision };
}

/**
 * @param {import("./store.mjs").Store} store
 * @returns {{ goal: Goal, value?: number, eager?: number, precisions: string[] }[]} value: undefined where one of the two was
 *   not measured; eager: beside the other as it runs without torch.compile, where it was measured with it too; precisions: of
 *   this project and of the other
 */
export function reached(store) {
  return GOALS.map((goal) => {
    const { job, over, of = "seconds" } = goal;
    const ours = fastest(store, job, OURS, goal.precision);
    if (ours === undefined) return { goal, precisions: [] };
    if (over === "none") return { goal, value: ours[of], precisions: [ours.precision] };
    if (over === "floor") {
      const flops = jobFlops(ROWS.find((row) => row.job.name === job).job);
      const floor = flops / peaksOf(store)[ours.precision];
      return { goal, value: floor ? ours[of] / floor : undefined, precisions: [ours.precision] };
    }
    const isProgram = ROWS.some(({ program }) => program.name === over);
    const other = fastest(store, isProgram ? job : over, isProgram ? over : OURS, goal.beside);
    if (other === undefined) return { goal, precisions: [ours.precision] };
    const ratio = { goal, value: ours[of] / other[of], precisions: [ours.precision, other.precision] };
    const eager = fastest(store, job, over, goal.beside, { compiled: false });
    return other.isCompiled && eager ? { ...ratio, eager: ours[of] / eager[of] } : ratio;
  });
}

/** The fastest of a program's precisions, or the one that is asked for. */
function fastest(store, job, program, precision, { compiled = true } = {}) {
  const names = compiled ? [program, `${program}-compiled`] : [program];
  return ROWS.filter((row) => row.job.name === job && names.includes(row.program.name))
    .filter((row) => precision === undefined || row.precision === precision)
    .flatMap((row) => ({
      ...summarize(store.row(row.id)),
      precision: row.precision,
      isCompiled: row.program.name !== program,
    }))
    .filter(({ seconds }) => seconds !== undefined)
    .sort((a, b) => a.seconds - b.seconds)[0];
}

/** @returns {string} Markdown; empty where nothing of it was measured */
export function renderGoals(store) {
  const lines = reached(store).filter(({ value }) => value !== undefined);
  if (lines.length === 0) return "";
  const rows = lines.map(({ goal: { what, over, atMost }, value, eager, precisions }) => {
    const measured = (ratio) => (ratio <= atMost ? `**${ratio.toFixed(2)}**` : ratio.toFixed(2));
    const cells = [what, over === "none" ? "" : over, [...new Set(precisions)].join(" and "), atMost];
    return `| ${[...cells, measured(value), eager === undefined ? "" : measured(eager)].join(" | ")} |`;
  });
  const head = "| job (BASE, 4 x 10 s) | over | precision | at most | measured | eager |";
  const about =
    "Bold: reached. Where the other's fastest is torch.compile, the last column is over its eager fastest.";
  return `## What is to be reached\n\n${about}\n\n${head}\n|---|---|---|---|---|---|\n${rows.join("\n")}`;
}
