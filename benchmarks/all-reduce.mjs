// All-reduce of as many numbers as BASE has parameters between processes, beside Python's torch.distributed over the same Gloo.
//   TRANSFORMERS_PYTHON=PATH node benchmarks/all-reduce.mjs [--processes 2] [--numbers 95000000] [--repeats 5] [--rounds 3]
// PATH is a Python with torch of the same version. Both take turns, round by round.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openGroup, ownPlace, runRanks } from "./ranks.mjs";

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "2" },
    numbers: { type: "string", default: "95000000" },
    repeats: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
  },
});
const size = Number(values.processes);
const count = Number(values.numbers);
const repeats = Number(values.repeats);
const place = ownPlace();

if (place !== undefined) {
  const { keep, ones, setThreads } = await import("../packages/libtorch/dist/index.js");
  setThreads(1);
  const group = await openGroup(place);
  const numbers = keep(ones([count]));
  const times = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    await group.barrier();
    const began = performance.now();
    await group.allReduce(numbers);
    times.push((performance.now() - began) / 1000);
    numbers.fill_(1);
  }
  if (place.rank === 0) console.log(JSON.stringify(times));
  await group.barrier();
  await group.close();
  process.exit(0);
}

const python = process.env.TRANSFORMERS_PYTHON;
const script = fileURLToPath(new URL("all_reduce.py", import.meta.url));
const ours = [];
const theirs = [];
for (let round = 0; round < Number(values.rounds); round++) {
  ours.push(...(await runRanks(size)));
  if (python) {
    const words = (rank, port) => [python, script, ...[rank, size, port, count, repeats].map(String)];
    theirs.push(...(await runRanks(size, words)));
  }
}
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const row = (name, list) =>
  `| ${name} | ${median(list).toFixed(3)} s | ${Math.min(...list).toFixed(3)} to ${Math.max(...list).toFixed(3)} s |`;
console.log(`${(count / 1e6).toFixed(0)} M float32 between ${size} processes, ${ours.length} times`);
console.log("| | median | all |\n|---|---|---|");
console.log(row("here", ours));
if (python) {
  console.log(row("torch.distributed", theirs));
  console.log(`ratio of medians: ${(median(ours) / median(theirs)).toFixed(2)}`);
}
