// Who does the jobs. A row of the table is a job, a program and a precision.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeInputs } from "./inputs.mjs";
import { JOBS } from "./jobs.mjs";
import { writeNetwork } from "./networks.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const BOTH = ["float32", "bfloat16"];
const NETWORK_JOBS = ["inference", "finetune", "pretrain"];

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {string} title
 * @property {readonly string[]} kinds of jobs that it does
 * @property {readonly string[]} precisions
 * @property {string} script
 * @property {readonly string[]} [modules] of Python that it needs; without, it is this project's
 */

/** @type {readonly Program[]} */
export const PROGRAMS = [
  {
    name: "wav2vec2",
    title: "this project",
    kinds: ["products", ...NETWORK_JOBS],
    precisions: BOTH,
    script: "ours.mjs",
  },
  {
    name: "transformers",
    title: "transformers, eager",
    kinds: NETWORK_JOBS,
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
  },
  {
    name: "torchaudio",
    title: "torchaudio",
    kinds: ["inference"],
    precisions: ["float32"],
    script: "pytorch.py",
    modules: ["torch", "transformers", "torchaudio"],
  },
];

/** @typedef {{ id: string, job: import("./jobs.mjs").Job, program: Program, precision: string }} Row */

/** @type {readonly Row[]} */
export const ROWS = JOBS.flatMap((job) =>
  PROGRAMS.filter(({ kinds }) => kinds.includes(job.kind)).flatMap((program) =>
    program.precisions.map((precision) => ({
      id: `${job.name}/${program.name}/${precision}`,
      job,
      program,
      precision,
    })),
  ),
);

/**
 * What a row's process is started with; what it reads is written first.
 *
 * @param {Row} row
 * @param {{ folder: string, python: string | undefined, threads: number }} options
 */
export async function commandOf({ id, job, program, precision }, { folder, python, threads }) {
  const request = { kind: job.kind, program: program.name, precision, threads, ...LIMITS };
  if (job.kind !== "products")
    Object.assign(request, {
      directory: await writeNetwork(folder, job.network),
      inputs: writeInputs(folder, job),
      frozen: job.frozen ?? false,
      logits: logitsOf(folder, id),
    });
  const executable = program.modules ? python : process.execPath;
  return { executable, args: [join(HERE, program.script), JSON.stringify(request)] };
}

/** Of one process: seconds that passes together take at least; how long a first pass must be to count. */
const LIMITS = { wanted: 4, long: 25 };

/** Where inference's logits go, to be compared. */
export function logitsOf(folder, id) {
  return join(folder, `${id.replaceAll("/", "-")}.logits`);
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
export function leftOut({ program }, { python, modules }) {
  if (!program.modules) return undefined;
  if (!python || !existsSync(python)) return "no Python with torch and transformers (--python PATH)";
  const missing = program.modules.filter((module) => !modules[module]);
  return missing.length > 0 ? `this Python has no ${missing.join(", ")}` : undefined;
}
