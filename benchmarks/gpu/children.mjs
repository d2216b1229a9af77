// Measurements as processes of their own, within one budget of time.
import { spawn } from "node:child_process";

/** Less than eight minutes, with room for what is written at the end. */
export const BUDGET_SECONDS = 460;

export class Children {
  #began = performance.now();

  /** @param {number} budget seconds for all of them */
  constructor(budget) {
    this.budget = budget;
  }

  get elapsed() {
    return (performance.now() - this.#began) / 1000;
  }

  /**
   * @param {string} what for messages
   * @param {string} program
   * @param {unknown[]} args
   * @param {Record<string, string>} [environment] beside this process's
   * @returns {Promise<{ output: string, error?: string }>} what it wrote to stdout; error: why it failed
   */
  async run(what, program, args, environment = {}) {
    const left = this.budget - this.elapsed;
    if (left < 5) return { output: "", error: "not run: the time is up" };
    console.error(`... ${what} (${Math.round(this.elapsed)} s)`);
    const child = spawn(program, args.map(String), {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: Math.ceil(left * 1000),
      killSignal: "SIGKILL",
    });
    let [output, errors] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors = (errors + text).slice(-4000);
    });
    return new Promise((resolve) => {
      child.once("error", (error) => resolve({ output, error: error.message }));
      child.once("close", (code, signal) => {
        if (code === 0) resolve({ output });
        else if (signal === "SIGKILL" && this.elapsed > this.budget - 1)
          resolve({ output, error: "stopped: the time is up" });
        else
          resolve({ output, error: `failed (${signal ?? code}): ${lastLine(errors) || lastLine(output)}` });
      });
    });
  }

  /**
   * @param {string} what
   * @param {string} program that writes JSON to stdout
   * @param {unknown[]} args
   * @returns {Promise<Record<string, any>>} it, or {error}
   */
  async json(what, program, args) {
    const { output, error } = await this.run(what, program, args);
    if (error) return { error };
    try {
      return JSON.parse(output);
    } catch {
      return { error: `failed: ${lastLine(output)}` };
    }
  }
}

/** The line that says most: the last one that names an error, or the last two. */
function lastLine(text) {
  const lines = text.trim().split("\n");
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.slice(-2).join(" ")).trim();
}
