// A benchmark in several processes of this machine: started here by the one that a person started, and in each of them
// its place and its group.
import { spawn } from "node:child_process";
import { createServer } from "node:net";

const HOST = "127.0.0.1";
/** "RANK SIZE PORT" in the environment of every process but the first. */
const VARIABLE = "BENCHMARK_RANK";

/** @returns {{ rank: number, size: number, port: number } | undefined} undefined in the process that starts the others */
export function ownPlace() {
  const words = process.env[VARIABLE];
  if (words === undefined) return undefined;
  const [rank, size, port] = words.split(" ").map(Number);
  return { rank, size, port };
}

/**
 * @param {NonNullable<ReturnType<typeof ownPlace>>} place
 * @returns a group over Gloo of all the processes
 */
export async function openGroup({ rank, size, port }) {
  const { distributed } = await import("../packages/libtorch/dist/index.js");
  const store = await distributed.TCPStore.open({ host: HOST, port, isServer: rank === 0 });
  const place = { store, rank, size, name: "benchmark", timeoutMs: 600_000, address: HOST };
  return distributed.ProcessGroup.open({ ...place, backend: "gloo" });
}

/**
 * Runs a program as `size` processes, by default this one with its own options.
 * @param {number} size
 * @param {(rank: number, port: number) => string[]} [commandOf] its words for a rank
 * @returns {Promise<any>} the JSON that rank 0 writes to stdout
 */
export async function runRanks(size, commandOf = () => [process.execPath, ...process.argv.slice(1)]) {
  const port = await freePort();
  const children = Array.from({ length: size }, (_, rank) => {
    const [program, ...args] = commandOf(rank, port);
    const env = { ...process.env, [VARIABLE]: `${rank} ${size} ${port}` };
    return spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env });
  });
  try {
    const outputs = await Promise.all(children.map(outputOf));
    return JSON.parse(outputs[0]);
  } finally {
    for (const child of children) child.kill();
  }
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {number} rank
 */
async function outputOf(child, rank) {
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
  });
  const code = await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  if (code !== 0)
    throw new Error(`${child.spawnfile} of rank ${rank} must end well, but ended with ${code}.`);
  return output;
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, HOST, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
