// Whether an operation has become much slower, in less than a minute and on any machine, busy ones too:
//   npm run build && node benchmarks/guard.mjs
// Each operation takes turns with bare operators that do about the same work, in this process and one thread. What is compared
// is the shortest processor time of each, as other programs make times longer and never shorter: its ratio must be at most
// --factor times what was recorded. What is above that is measured again, twice as long each time, before the guard fails. So it tells of
// large regressions alone; benchmarks/side-by-side.mjs measures the rest.
import { parseArgs } from "node:util";
import { manualSeed, setThreads } from "@wav2vec2/libtorch";
import { operations } from "./guard/operations.mjs";

const { values } = parseArgs({
  options: { factor: { type: "string", default: "2" }, turns: { type: "string", default: "5" } },
});
const factor = Number(values.factor);
if (!(factor > 0)) throw new Error(`--factor must be a number above 0, but is ${values.factor}.`);
/** How often an operation that is too slow is measured. */
const ATTEMPTS = 3;
/** Milliseconds. */
const WARM_UP = 300;

setThreads(1);
manualSeed(1);
let failed = 0;
console.log(
  "| operation | time | beside | time | ratio | recorded | at most |\n|---|---|---|---|---|---|---|",
);
for (const operation of operations()) {
  const { name, beside, recorded } = operation;
  const { own, reference } = await compare(operation);
  const ratio = own / reference;
  const tooSlow = !(ratio <= factor * recorded);
  if (tooSlow) failed++;
  const cells = [name, `${own.toFixed(1)} ms`, beside, `${reference.toFixed(1)} ms`];
  const numbers = [ratio, recorded, factor * recorded].map((value) => value.toFixed(2));
  console.log(`| ${[...cells, ...numbers].join(" | ")} |${tooSlow ? " TOO SLOW" : ""}`);
}
if (failed > 0) {
  console.error(
    `${failed === 1 ? "An operation" : `${failed} operations`} must take at most ${factor} times the recorded ratio, but took more. Find the ` +
      "change that made it slower; where that is wanted, write the new ratio into benchmarks/guard/operations.mjs.",
  );
  process.exitCode = 1;
}

/** @returns the shortest of each */
async function compare({ run, reference, recorded }) {
  const shortest = { own: Number.POSITIVE_INFINITY, reference: Number.POSITIVE_INFINITY };
  for (const body of [run, reference]) {
    const began = performance.now();
    do
      await body(); // compiles, takes memory
    while (performance.now() - began < WARM_UP);
  }
  for (let attempt = 0, turns = Number(values.turns); attempt < ATTEMPTS; attempt++, turns *= 2) {
    for (let turn = 0; turn < turns; turn++) {
      shortest.own = Math.min(shortest.own, await timed(run));
      shortest.reference = Math.min(shortest.reference, await timed(reference));
    }
    if (shortest.own <= factor * recorded * shortest.reference) break;
  }
  return shortest;
}

/** @returns milliseconds of the processor, which other programs take none of */
async function timed(body) {
  const before = process.cpuUsage();
  await body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
