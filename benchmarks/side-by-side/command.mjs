// What a row's process is started with; what it reads is written first, where it is not there yet.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeFlac, exportOnnx, Random, readAudioInfo } from "wav2vec2";
import { writeInputs } from "./inputs.mjs";
import { RATE } from "./jobs.mjs";
import { writeNetwork } from "./networks.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const CLI = fileURLToPath(new URL("../../packages/wav2vec2/bin/wav2vec2.js", import.meta.url));

/** Of one process: seconds that passes together take at least; how long a first pass must be to count. */
const LIMITS = { wanted: 4, long: 25 };
/** A compiled pass does not count where it compiles, however long. */
const COMPILED_LIMITS = { ...LIMITS, long: Number.MAX_SAFE_INTEGER };
/** The optimiser's moments are made at the end of the first step, so the second one is the first that takes all its memory. */
const STEP_LIMITS = { ...COMPILED_LIMITS, uncounted: 2 };
/** Clips of a corpus that are recognised, from all of it. */
const CLIPS = 20;
/** Processes that a short one is started in for one measurement. */
const STARTS = 5;

/**
 * @typedef {object} Command
 * @property {string} executable
 * @property {readonly string[]} args
 * @property {"json" | "texts" | "nothing"} writes the measurement itself; [{text}], or nothing, where the process is timed
 * @property {number} [starts]
 * @property {number} [audioSeconds] where the job does not say
 * @property {boolean} [busy] another process keeps a core busy meanwhile
 */

/**
 * @param {import("./programs.mjs").Row} row
 * @param {{ folder: string, python: string | undefined, threads: number, data: string | undefined }} options
 * @returns {Promise<Command>}
 */
export async function commandOf(row, options) {
  const { job, program } = row;
  const executable = program.modules ? options.python : process.execPath;
  const timed = {
    help: helpCommand,
    import: importCommand,
    first: firstCommand,
    transcribe: transcribeCommand,
  };
  if (timed[job.kind]) return { executable, ...(await timed[job.kind](row, options)) };
  const request = await requestOf(row, options);
  const args = [join(HERE, program.script), JSON.stringify(request)];
  return { executable, args, writes: "json", busy: job.kind === "busy" };
}

async function requestOf({ id, job, program, precision }, { folder, python, threads }) {
  const kind = job.kind === "busy" ? "inference" : job.kind;
  const isTraining = ["finetune", "pretrain"].includes(kind);
  const limits = isTraining ? STEP_LIMITS : program.compiles ? COMPILED_LIMITS : LIMITS;
  const request = { kind, program: program.name, precision, threads, ...limits };
  if (kind === "products") return request;
  const directory = await writeNetwork(folder, job.network);
  if (kind === "loading") return { ...request, directory };
  const model = await convertedModel(program.name, { folder, directory, python, name: job.network });
  const inputs = writeInputs(folder, { ...job, kind });
  return { ...request, directory, model, inputs, frozen: job.frozen ?? false, logits: logitsOf(folder, id) };
}

/** Where inference's logits go, to be compared. */
export function logitsOf(folder, id) {
  return join(folder, `${id.replaceAll("/", "-")}.logits`);
}

/** The file or directory of a program that does not read Hugging Face's layout. */
async function convertedModel(program, { folder, directory, python, name }) {
  const write = async (place, make) => {
    const path = join(folder, place);
    if (!existsSync(path)) await make(path);
    return path;
  };
  const run = (...args) => execFileSync(python, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (program === "onnxruntime")
    return await write(`torch-${name}.onnx`, (path) => run(join(HERE, "export_onnx.py"), directory, path));
  if (program === "onnxruntime-own") {
    const exported = await write(`own-${name}`, (path) => exportOnnx(directory, path, { longest: 1 }));
    return join(exported, "onnx/model.onnx");
  }
  if (program === "ctranslate2")
    return await write(`ctranslate2-${name}`, (path) =>
      run("-m", "ctranslate2.converters.transformers", "--model", directory, "--output_dir", path),
    );
  return undefined;
}

function helpCommand() {
  return { args: [CLI, "--help"], writes: "nothing", starts: STARTS };
}

function importCommand({ program }) {
  const args = program.modules
    ? ["-c", "import torch, transformers"]
    : ["--input-type=module", "--eval", `import ${JSON.stringify(import.meta.resolve("wav2vec2"))}`];
  return { args, writes: "nothing", starts: STARTS };
}

async function firstCommand({ job, program }, { folder, threads }) {
  const directory = await writeNetwork(folder, job.network);
  const clip = join(folder, "first.flac");
  const random = new Random(1, "first");
  const samples = Float32Array.from({ length: job.seconds * RATE }, () => 0.1 * (random.uniform() - 0.5));
  if (!existsSync(clip)) writeFileSync(clip, encodeFlac(samples, RATE));
  return { args: recognise(program, directory, [clip], threads), writes: "texts", starts: STARTS };
}

async function transcribeCommand({ job, program }, { folder, threads, data }) {
  const directory = await writeNetwork(folder, job.network);
  const all = readdirSync(data, { recursive: true })
    .filter((name) => name.endsWith(".flac"))
    .sort()
    .map((name) => join(data, name));
  if (all.length === 0) throw new Error(`--data must be a directory with FLAC files, but ${data} has none.`);
  const count = Math.min(CLIPS, all.length);
  const files = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);
  const lengths = await Promise.all(files.map((file) => readAudioInfo(file)));
  const audioSeconds = lengths.reduce((sum, { samples }) => sum + samples, 0) / RATE;
  return { args: recognise(program, directory, files, threads), writes: "texts", audioSeconds };
}

/** Greedily, as transformers does. */
function recognise({ modules }, directory, files, threads) {
  return modules
    ? [join(HERE, "transcribe.py"), String(threads), directory, ...files]
    : [CLI, "transcribe", directory, ...files, "--beam-width", "1", "--threads", String(threads), "--json"];
}
