// A measurement as a process of its own.
import { spawn } from "node:child_process";
import { residentMb } from "./resident.mjs";

/** How often a process that cannot tell its own peak is looked at, in milliseconds. */
const LOOK = 20;

/**
 * @param {import("./command.mjs").Command} command
 * @param {{ threads: number, timeout: number }} options timeout in seconds of a process
 * @returns {Promise<Record<string, any>>} `seconds` of its passes, or of the process where that is what is timed;
 * `peakMb`; `texts` of what it recognised; or {error}
 */
export async function measure(command, options) {
  const stop = command.busy ? keepBusy() : () => {};
  try {
    const { writes, audioSeconds, starts = 1 } = command;
    if (writes === "json") return await start(command, options);
    const runs = [];
    for (let i = 0; i < starts; i++) runs.push(await start(command, options));
    const failed = runs.find(({ error }) => error);
    if (failed) return failed;
    const peakMb = Math.max(...runs.map((run) => run.peakMb));
    return { seconds: runs.map(({ elapsed }) => elapsed), peakMb, audioSeconds, texts: runs[0].texts };
  } finally {
    stop();
  }
}

/** A process that computes all the time, as another program on the machine may. @returns what ends it */
function keepBusy() {
  const child = spawn(process.execPath, ["--eval", "for (;;);"], { stdio: "ignore" });
  return () => child.kill("SIGKILL");
}

function start({ executable, args, writes }, { threads, timeout }) {
  const began = performance.now();
  const child = spawn(executable, args, {
    env: {
      ...process.env,
      OMP_NUM_THREADS: String(threads),
      HF_HUB_OFFLINE: "1",
      TOKENIZERS_PARALLELISM: "false",
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeout * 1000,
    killSignal: "SIGKILL",
  });
  let [output, errors, peakMb] = ["", "", 0];
  const look = setInterval(() => {
    peakMb = Math.max(peakMb, residentMb("VmHWM", child.pid) ?? 0);
  }, LOOK);
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    errors = (errors + text).slice(-20_000);
  });
  return new Promise((resolve) => {
    const end = (result) => {
      clearInterval(look);
      resolve(result);
    };
    child.once("error", (error) => end({ error: error.message }));
    child.once("close", (code, signal) => {
      const elapsed = (performance.now() - began) / 1000;
      if (signal === "SIGKILL" && elapsed > timeout - 1) end({ error: `not done after ${timeout} s` });
      else if (code !== 0) end({ error: `failed (${signal ?? code}): ${lastError(errors)}` });
      else end({ peakMb, elapsed, ...PARSERS[writes](output) });
    });
  });
}

const PARSERS = {
  nothing: () => ({}),
  json: (output) => parse(output.trim().split("\n").at(-1)),
  texts: (output) => {
    const { error, ...found } = parse(output);
    return error ? { error } : { texts: Object.values(found).map(({ text }) => text) };
  },
};

/** @returns an object, of an array its places */
function parse(text) {
  try {
    return { ...JSON.parse(text) };
  } catch {
    return { error: `failed: wrote no JSON, but ${text.slice(0, 200)}` };
  }
}

/** The line of a trace that names the error, as Node.js and Python write it; else the last one. */
function lastError(text) {
  const lines = text.trim().split("\n");
  return (lines.findLast((line) => /^[\w.]*(Error|Exception)\b/.test(line)) ?? lines.at(-1))
    .trim()
    .slice(0, 200);
}
