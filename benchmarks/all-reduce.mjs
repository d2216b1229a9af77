// All-reduce of as many numbers as BASE has parameters between processes, beside Python's torch.distributed over the same Gloo.
//   TRANSFORMERS_PYTHON=PATH node benchmarks/all-reduce.mjs [--processes 2] [--numbers 95000000] [--repeats 5] [--rounds 3]
// PATH is a Python with torch of the same version. Both take turns, round by round.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "2" },
    numbers: { type: "string", default: "95000000" },
    repeats: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    child: { type: "string" },
    port: { type: "string" },
  },
});
const size = Number(values.processes);
const count = Number(values.numbers);
const repeats = Number(values.repeats);
const own = fileURLToPath(import.meta.url);

if (values.child !== undefined) {
  const { distributed, keep, ones, setThreads } = await import("../packages/libtorch/dist/index.js");
  setThreads(1);
  const rank = Number(values.child);
  const store = await distributed.TCPStore.open({
    host: "127.0.0.1",
    port: Number(values.port),
    isServer: rank === 0,
  });
  const place = { store, rank, size, name: "all-reduce", timeoutMs: 60_000, address: "127.0.0.1" };
  const group = await distributed.ProcessGroup.open({ ...place, backend: "gloo" });
  const numbers = keep(ones([count]));
  const times = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    await group.barrier();
    const began = performance.now();
    await group.allReduce(numbers);
    times.push((performance.now() - began) / 1000);
    numbers.fill_(1);
  }
  if (rank === 0) console.log(JSON.stringify(times));
  await group.barrier();
  await group.close();
  process.exit(0);
}

const python = process.env.TRANSFORMERS_PYTHON;
const script = fileURLToPath(new URL("all_reduce.py", import.meta.url));
const port = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const free = server.address().port;
      server.close(() => resolve(free));
    });
  });

/** Seconds of each all-reduce, as rank 0 prints them. */
async function run(commandOf) {
  const free = await port();
  const outputs = await Promise.all(
    Array.from({ length: size }, async (_, rank) => {
      const [program, ...args] = commandOf(rank, free);
      const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
      let output = "";
      child.stdout.on("data", (data) => {
        output += data;
      });
      const code = await new Promise((resolve) => child.once("close", resolve));
      if (code !== 0) throw new Error(`${program} of rank ${rank} must end well, but ended with ${code}.`);
      return output;
    }),
  );
  return JSON.parse(outputs[0]);
}

const ours = [];
const theirs = [];
const numbers = ["--processes", String(size), "--numbers", String(count), "--repeats", String(repeats)];
for (let round = 0; round < Number(values.rounds); round++) {
  ours.push(
    ...(await run((rank, free) => [
      process.execPath,
      own,
      ...numbers,
      "--child",
      String(rank),
      "--port",
      String(free),
    ])),
  );
  if (python)
    theirs.push(
      ...(await run((rank, free) => [python, script, ...[rank, size, free, count, repeats].map(String)])),
    );
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
