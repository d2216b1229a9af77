// A measurement as a process of its own.
import { spawn } from "node:child_process";
import { residentMb } from "./resident.mjs";

/** How often a process that cannot tell its own peak is looked at, in milliseconds. */
const LOOK = 20;

/**
 * @param {{ executable: string, args: readonly string[] }} command
 * @param {{ threads: number, timeout: number }} options timeout in seconds
 * @returns {Promise<Record<string, any>>} the last line that it wrote, as JSON, with `elapsed` (seconds of the process) and
 * `peakMb` (which a process tells itself, or was seen from here); or {error}
 */
export function measure({ executable, args }, { threads, timeout }) {
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
      else end({ peakMb, elapsed, ...parse(output) });
    });
  });
}

function parse(output) {
  try {
    return JSON.parse(output.trim().split("\n").at(-1));
  } catch {
    return { error: `failed: no JSON, but ${output.trim().split("\n").at(-1)}` };
  }
}

/** The line of a trace that names the error, as Node.js and Python write it; else the last one. */
function lastError(text) {
  const lines = text.trim().split("\n");
  return (lines.findLast((line) => /^[\w.]*(Error|Exception)\b/.test(line)) ?? lines.at(-1))
    .trim()
    .slice(0, 200);
}
