// What one call through the bridge costs: `add` of two tensors of four elements with autograd, beside the same
// from Python, in turns in one run.
//   node benchmarks/bridge-add.mjs PYTHON [ROUNDS]
// PYTHON is a Python whose torch is the libtorch that the bridge was built against.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { libtorchInfo, scope, setThreads, tensor } from "@wav2vec2/libtorch";

const [python, roundsText = "100"] = process.argv.slice(2);
if (!python) throw new Error("PYTHON must be given. Run: node benchmarks/bridge-add.mjs path/to/python");

const CALLS = 10_000;
// As many calls as one scope of a small model's forward pass.
const CALLS_A_SCOPE = 200;

setThreads(1);
const a = tensor([1, 2, 3, 4], [4], { requiresGrad: true });
const b = tensor([1, 2, 3, 4]);
const addMany = () => {
  for (let i = 0; i < CALLS_A_SCOPE; i++) a.add(b);
};
function node() {
  const start = process.hrtime.bigint();
  for (let i = 0; i < CALLS / CALLS_A_SCOPE; i++) scope(addMany);
  return Number(process.hrtime.bigint() - start) / 1000 / CALLS;
}

const child = spawn(python, [fileURLToPath(new URL("bridge_add.py", import.meta.url))], {
  stdio: ["pipe", "pipe", "inherit"],
});
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const nextLine = async () => {
  const { value, done } = await lines.next();
  if (done) throw new Error(`${python} must answer, but ended. Does it have torch?`);
  return value;
};
const pythonVersion = await nextLine();
async function fromPython() {
  child.stdin.write(`${CALLS}\n`);
  return (Number(await nextLine()) * 1e6) / CALLS;
}

const times = { node: [], python: [] };
for (let round = -10; round < Number(roundsText); round++) {
  const measured = [node(), await fromPython()];
  if (round < 0) continue; // warm-up
  times.node.push(measured[0]);
  times.python.push(measured[1]);
}
child.stdin.end();

const quantile = (values, share) => values.toSorted((x, y) => x - y)[Math.floor(share * (values.length - 1))];
const row = (name, values) =>
  console.log(
    [name.padEnd(28), ...[0, 0.25, 0.5, 0.75].map((q) => quantile(values, q).toFixed(2).padStart(8))].join(
      "",
    ),
  );
console.log(
  `microseconds a call      ${["fastest", "25 %", "median", "75 %"]
    .map((t) => t.padStart(8))
    .join("")
    .padStart(35)}`,
);
row(`bridge, libtorch ${libtorchInfo().version}`, times.node);
row(`Python, torch ${pythonVersion}`, times.python);
const ratios = times.node.map((time, i) => time / times.python[i]);
row("bridge / Python", ratios);
