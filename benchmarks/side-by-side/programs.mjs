// Who does the jobs. A row of the table is a job, a program and a precision.
import { JOBS } from "./jobs.mjs";

const BOTH = ["float32", "bfloat16"];
const NETWORK_JOBS = ["inference", "finetune", "pretrain"];

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {string} title
 * @property {readonly string[]} kinds of jobs that it does
 * @property {readonly string[]} precisions of networks; all else is done in the first
 * @property {readonly string[]} [networks] that it knows; without, all
 * @property {string} script
 * @property {readonly string[]} [modules] of Python that it needs; without, it is this project's
 * @property {boolean} [compiles] in its first pass
 */

/** @type {readonly Program[]} */
export const PROGRAMS = [
  {
    name: "wav2vec2",
    title: "this project",
    kinds: ["products", ...NETWORK_JOBS, "busy", "transcribe", "loading", "help", "import", "first"],
    precisions: BOTH,
    script: "ours.mjs",
  },
  {
    name: "transformers",
    title: "transformers, eager",
    kinds: [...NETWORK_JOBS, "busy", "transcribe", "loading", "import", "first"],
    precisions: BOTH,
    script: "pytorch.py",
    modules: ["torch", "transformers"],
  },
  {
    name: "transformers-compiled",
    title: "transformers, torch.compile",
    kinds: NETWORK_JOBS,
    precisions: BOTH,
    script: "pytorch.py",
    modules: ["torch", "transformers"],
    compiles: true,
  },
  {
    name: "torchaudio",
    title: "torchaudio",
    kinds: ["inference"],
    precisions: ["float32"],
    script: "pytorch.py",
    modules: ["torch", "transformers", "torchaudio"],
  },
  {
    name: "onnxruntime",
    title: "onnxruntime, torch.onnx's file",
    kinds: ["inference"],
    precisions: ["float32"],
    script: "runtimes.py",
    modules: ["torch", "transformers", "onnxruntime", "onnxscript"],
  },
  {
    name: "onnxruntime-own",
    title: "onnxruntime, the file of wav2vec2 export",
    kinds: ["inference"],
    precisions: ["float32"],
    script: "runtimes.py",
    modules: ["onnxruntime"],
  },
  {
    name: "ctranslate2",
    title: "CTranslate2",
    kinds: ["inference"],
    precisions: ["float32"],
    networks: ["large"], // its converter takes layer-normed convolutions alone
    script: "runtimes.py",
    modules: ["torch", "transformers", "ctranslate2"],
  },
];

/** @typedef {{ id: string, job: import("./jobs.mjs").Job, program: Program, precision: string }} Row */

/** @type {readonly Row[]} */
export const ROWS = JOBS.flatMap((job) =>
  PROGRAMS.filter((program) => does(program, job)).flatMap((program) =>
    (NETWORK_JOBS.includes(job.kind) || job.kind === "products"
      ? program.precisions
      : program.precisions.slice(0, 1)
    ).map((precision) => ({
      id: `${job.name}/${program.name}/${precision}`,
      job,
      program,
      precision,
    })),
  ),
);

function does({ kinds, networks }, { kind, network }) {
  return kinds.includes(kind) && (!networks || networks.includes(network));
}

/** The job in which a precision is tried before the larger ones. */
const SCOUT = "inference-base-1x10";
/** So many times float32's time is too slow for anybody to use. */
const TOO_SLOW = 4;

/**
 * A processor without instructions for bfloat16 may take thirty times as long: minutes for the larger jobs, of which the
 * table would tell nothing new.
 *
 * @param {Row} row
 * @param {(id: string) => number | undefined} secondsOf what was measured of a row
 * @returns the reason why a row need not be measured; undefined where it must
 */
export function tooSlow({ job, program, precision }, secondsOf) {
  if (precision === "float32" || !NETWORK_JOBS.includes(job.kind) || job.name === SCOUT) return undefined;
  const [slow, usual] = [precision, "float32"].map((name) => secondsOf(`${SCOUT}/${program.name}/${name}`));
  if (!slow || !usual || slow < TOO_SLOW * usual) return undefined;
  return `left out: ${(slow / usual).toFixed(0)} times as slow as float32 in ${SCOUT}`;
}

/** @returns the reason why a row is left out; undefined where it is not */
export function leftOut({ job, program }, { python, modules, data }) {
  if (job.kind === "transcribe" && !data) return "no speech (--data DIR)";
  if (!program.modules) return undefined;
  if (!python) return "no Python with torch and transformers (--python PATH)";
  const missing = program.modules.filter((module) => !modules[module]);
  return missing.length > 0 ? `this Python has no ${missing.join(", ")}` : undefined;
}
