import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

const program = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));
const ESCAPE = "\u001b";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "terminal-"));
  await writeToneCorpus(join(directory, "corpus"), { train: 30, dev: 3 });
  const recipe = {
    task: "finetune",
    max_steps: 40,
    data: { root: join(directory, "corpus"), batch_seconds: 4, workers: 0 },
    model: TINY_MODEL,
    schedule: { warmup_steps: 2 },
    logging_steps: 5,
    eval_steps: 20,
    system_seconds: 0.5,
    threads: 1,
  };
  await writeFile(join(directory, "recipe.yaml"), JSON.stringify(recipe));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What a training writes to a terminal of 50 columns. */
async function shown(name: string, env: Record<string, string>, options = ""): Promise<string> {
  const command = `stty cols 50 rows 20; exec ${process.execPath} ${program} finetune --config recipe.yaml --output ${name} ${options}`;
  const { NO_COLOR: _, FORCE_COLOR: __, ...given } = process.env;
  return await new Promise((resolve, reject) => {
    execFile(
      "script",
      ["-qec", command, "/dev/null"],
      { cwd: directory, env: { ...given, TERM: "xterm", ...env } },
      (error, stdout) => (error ? reject(error) : resolve(stdout)),
    );
  });
}

// The `script` of other systems has other options.
const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

describe.skipIf(!hasScript)("a training on a terminal", () => {
  it("rewrites one line that fits it, leaves the results, and rings no bell", async () => {
    const text = await shown("live", {});
    const drawn = text
      .split(`\r${ESCAPE}[2K`)
      .map((part) => part.split(ESCAPE)[1]?.slice("[2m".length) ?? "");
    const lines = drawn.filter((line) => line.startsWith("step "));
    expect(lines.length).toBeGreaterThan(8);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(50);
    expect(text).toMatch(/step 40: validation WER/);
    expect(text).toMatch(/best WER on dev .*\r\n(model .*\r\n)?report .*\r\n$/);
    expect(text).not.toContain("\u0007");
  });

  it("has no colours where NO_COLOR is set", async () => {
    const text = await shown("plain", { NO_COLOR: "1" });
    expect(text).toContain(`${ESCAPE}[2Kstep `);
    expect(text).not.toMatch(new RegExp(`${ESCAPE}\\[\\d*m`));
  });

  it("has whole lines where it is dumb, and only the result with --quiet", async () => {
    const dumb = await shown("dumb", { TERM: "dumb" });
    expect(dumb).not.toContain(ESCAPE);
    expect(dumb).toMatch(/^step 5\/40 .*\r$/m);
    const quiet = await shown("quiet", {}, "--quiet");
    expect(quiet).not.toMatch(/step \d+\/40|parameters|reference/);
    expect(quiet).toContain("best WER on dev");
  });
});
