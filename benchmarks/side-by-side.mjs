// This project beside others, in one table: the same weights, inputs, threads and lengths.
//   npm run build && node benchmarks/side-by-side.mjs --python PATH --data DIR
//   node benchmarks/side-by-side.mjs --list                              the rows: job/program/precision
//   node benchmarks/side-by-side.mjs --only 'inference-base.*float32'    measures these anew; the others stay as they were
//   node benchmarks/side-by-side.mjs --resume                            goes on with what is stored, and tries again what failed
//   node benchmarks/side-by-side.mjs --rounds 0                          measures nothing and writes the page of what is stored
// Each measurement is a process of its own, and nothing runs beside it. The rows take turns: all are measured once, then all
// again, up to --rounds times and as long as --minutes allow; the first round is always finished. A process makes one pass
// that does not count (unless it alone took very long; two of training, whose second is the first with the optimiser's moments)
// and then some that do; a row's time is the median over its
// processes of their median pass. Memory is the process's highest resident memory (VmHWM), with all that it loaded.
// "The peak" is the fastest of many products of square matrices in the same run, and "the floor" the time that a job's
// matrix products alone would take at it.
// DIR is a directory with FLAC files of real lengths, such as LibriSpeech's test-other. PATH is a Python that has torch and
// transformers; without one (--python, TRANSFORMERS_PYTHON, python3) those rows are left out. Results are
// kept in benchmarks/build/side-by-side, and benchmarks/results.md is written from them.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { commandOf } from "./side-by-side/command.mjs";
import { describeCommit, describeMachine, findPython } from "./side-by-side/machine.mjs";
import { measure } from "./side-by-side/measure.mjs";
import { renderPage } from "./side-by-side/page.mjs";
import { leftOut, ROWS, tooSlow } from "./side-by-side/programs.mjs";
import { Store } from "./side-by-side/store.mjs";
import { summarize } from "./side-by-side/table.mjs";

const FOLDER = fileURLToPath(new URL("build/side-by-side", import.meta.url));
const PAGE = fileURLToPath(new URL("results.md", import.meta.url));

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    minutes: { type: "string", default: "25" },
    threads: { type: "string", default: "2" },
    timeout: { type: "string", default: "300" },
    python: { type: "string" },
    data: { type: "string" },
    resume: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    output: { type: "string", default: PAGE },
  },
});
const [rounds, minutes, threads, timeout] = ["rounds", "minutes", "threads", "timeout"].map((name) => {
  const value = Number(options[name]);
  if (value >= 0) return value;
  throw new Error(`--${name} must be a number, but is ${options[name]}.`);
});
const chosen = ROWS.filter(({ id }) => new RegExp(options.only).test(id));
if (chosen.length === 0) throw new Error(`--only ${options.only} must match a row. --list shows them.`);

if (options.list) for (const { id } of chosen) console.log(id);
else await main();

async function main() {
  const store = new Store(`${FOLDER}/results.json`);
  const { data } = options;
  const found = findPython([options.python, process.env.TRANSFORMERS_PYTHON, "python3"]);
  if (options.python && !found.python)
    throw new Error(`--python must be a Python with torch and transformers, but ${options.python} is not.`);
  const secondsOf = (id) => summarize(store.row(id))?.seconds;
  const lacks = (row) => leftOut(row, { ...found, data });
  const why = (row) => lacks(row) ?? tooSlow(row, secondsOf);
  const rows = chosen.filter((row) => !lacks(row));
  const before = describeMachine();
  if (rounds > 0) {
    store.setMachine({ ...before, modules: found.modules, threads });
    for (const { id } of rows) store.begin(id, options.resume);
  }
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 60_000;
  for (let round = 0; round < rounds; round++)
    for (const row of rows) {
      const { runs, error } = store.row(row.id);
      if (runs.length > round || error || tooSlow(row, secondsOf)) continue;
      if (runs.length > 0 && elapsed() > minutes) continue;
      const result = await measureRow(row, { folder: FOLDER, python: found.python, threads, timeout, data });
      store.add(row.id, { ...result, commit: describeCommit(), date: new Date().toISOString() });
      console.error(`${elapsed().toFixed(1)} min  round ${round + 1}  ${row.id}: ${tell(result)}`);
    }
  const page = renderPage(store, { folder: FOLDER, why, threads });
  console.log(page);
  writeFileSync(options.output, page);
}

/** What cannot be prepared, such as an export that fails, costs its row alone. */
async function measureRow(row, options) {
  try {
    return await measure(await commandOf(row, options), options);
  } catch (error) {
    return { error: error.message };
  }
}

function tell({ error, seconds, peakMb }) {
  if (error) return error;
  return `${seconds.map((value) => value.toPrecision(3)).join(", ")} s, ${Math.round(peakMb)} MB`;
}
