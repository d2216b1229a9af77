// Child processes: their output goes to a log file, their last line to the progress line, their end to the caller.
import { spawn } from "node:child_process";
import { accessSync, constants, createWriteStream, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { finished } from "node:stream/promises";

/**
 * @param {string} program
 * @returns {string | undefined} the executable's path, as the shell would find it
 */
export function which(program) {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    if (directory === "") continue;
    const path = join(directory, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return undefined;
}

/**
 * Runs a program to its end. Never rejects: a program that cannot be started ends with code 127.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, log?: string, onLine?: (line: string) => void }} [options]
 *   log: file that the whole output is appended to; onLine: called with each line of stdout and stderr
 * @returns {Promise<{ code: number, output: string }>} the exit code (128 when killed by a signal) and the
 *   last 200 lines of output
 */
export async function run(program, args, { cwd, env = process.env, log, onLine } = {}) {
  if (log !== undefined) mkdirSync(dirname(log), { recursive: true });
  const file = log === undefined ? undefined : createWriteStream(log, { flags: "a" });
  file?.write(`$ ${[program, ...args].join(" ")}\n`);
  /** @type {string[]} */
  const tail = [];
  let rest = "";
  /** @param {string} line */
  const take = (line) => {
    tail.push(line);
    if (tail.length > 200) tail.shift();
    if (line.trim() !== "") onLine?.(line.trim());
  };
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (/** @type {string} */ text) => {
      file?.write(text);
      const lines = (rest + text).split(/\r?\n|\r/);
      rest = lines.pop() ?? "";
      for (const line of lines) take(line);
    });
  }
  const code = await new Promise((resolve) => {
    child.once("error", (error) => {
      take(error.message);
      resolve(127);
    });
    child.once("close", (status) => resolve(status ?? 128));
  });
  if (rest !== "") take(rest);
  if (file !== undefined) {
    file.end();
    await finished(file);
  }
  return { code, output: tail.join("\n") };
}

/**
 * Runs a program that takes its time: its last line and the seconds so far stay in view.
 * @param {import("./report.mjs").Report} report
 * @param {string} label
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, log?: string }} [options]
 */
export async function runInView(report, label, program, args, options = {}) {
  const startedAt = performance.now();
  let last = "";
  const show = () => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    report.progress(`${label}, ${seconds} s${last === "" ? "" : `: ${last}`}`);
  };
  const timer = setInterval(show, 1000);
  try {
    return await run(program, args, {
      ...options,
      onLine: (line) => {
        last = line;
        show();
      },
    });
  } finally {
    clearInterval(timer);
  }
}

/**
 * @param {string} output
 * @param {number} count
 * @returns {string} the last lines that are not empty
 */
export function lastLines(output, count) {
  return output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .join("\n");
}
