import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { UserError } from "../../src/errors.js";
import type { Recipe } from "../../src/training/recipe/recipe.js";
import type { RunOptions } from "../../src/training/run/training-run.js";
import { CapturedOutput } from "../fixtures/captured-output.js";

// Training and recognition are replaced: these tests are about arguments, output and exit codes.
const finetune = vi.hoisted(() => vi.fn());
const libtorchInfo = vi.hoisted(() => vi.fn());
const numericsCheck = vi.hoisted(() => vi.fn());
const gpuReport = vi.hoisted(() => vi.fn());
const gpus = () => ({ cudaBuild: false, cudaDevices: 0, mps: false });
vi.mock("@wav2vec2/libtorch", () => ({ gpuReport, gpus, libtorchInfo, numericsCheck }));
vi.mock("../../src/training/finetuning/finetune.js", () => ({ finetune }));

let directory: string;
const output = new CapturedOutput();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "cli-"));
  output.start();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.resetAllMocks();
  rmSync(directory, { recursive: true });
});

describe("wav2vec2", () => {
  it("lists its commands", async () => {
    expect(await main(["--help"])).toBe(0);
    for (const name of [
      "doctor",
      "data",
      "pretrain",
      "finetune",
      "bench",
      "evaluate",
      "compare",
      "transcribe",
      "codes",
    ])
      expect(output.stdout).toContain(`  ${name}`);
    expect(await main([])).toBe(0);
    expect(await main(["help", "evaluate"])).toBe(0);
    expect(output.stdout).toContain("--split <name>");
  });

  it("prints help that fits a terminal, recipe keys of any length too", async () => {
    expect(await main(["finetune", "--help"])).toBe(0);
    expect(output.stdout).toContain("\n  --data.on-bad-data <error|skip>\n        What becomes of clips");
    const long = output.stdout.split("\n").filter((line) => line.length > 80 && !line.startsWith("  --"));
    expect(long).toEqual([expect.stringContaining("--model.KEY VALUE sets a key of the network.")]);
    expect(output.stdout).not.toContain("preset: ");
  });

  it("prints its version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await main(["--version"])).toBe(0);
    expect(output.stdout).toBe(`${version}\n`);
  });

  it.each([
    [["finetun"], "Did you mean finetune?"],
    [["evaluate"], "required option '--data <path>' not specified"],
    [["evaluate", "m", "--data", "d", "--on-bad-data", "keep"], "Allowed choices are error, skip."],
    [
      ["evaluate", "m", "--data", "d", "--split", "s", "--worst", "-1"],
      "It must be a whole number, in at most 15 digits.",
    ],
    [["compare", "a.json", "b.json", "--seed", "1e9"], "It must be a whole number, in at most 15 digits."],
    [["evaluate", "m", "--data", "d", "--threads", "0"], "It must be a whole number above 0"],
    [
      ["evaluate", "m", "--data", "d", "--normalize", "accents"],
      "It must be case, punctuation, form or case:LANGUAGE",
    ],
    [["evaluate", "m", "--data", "d", "--bootstrap-by", "word"], "Allowed choices are utterance, speaker."],
    [["compare", "a.json"], "missing required argument 'second'"],
    [["transcribe", "m"], "missing required argument 'file'"],
    [["finetune", "--optimizer.learning-rat", "1"], "Did you mean --optimizer.learning-rate?"],
    [["finetune", "--optimizer.lr", "1"], "lr'\n(Did you mean --optimizer.learning-rate?)\n"],
    [
      ["transcribe", "--model", "m", "clip.flac"],
      "without an option: wav2vec2 transcribe [options] <model> <file...>",
    ],
    [["finetune", "--warmup", "9"], "Did you mean one of --schedule.warmup-steps, --schedule.warmup-ratio?"],
    [["finetune", "--max-steps", "many"], "--max-steps must be a number, but is 'many'."],
    [
      ["finetune", "--max-steps", "0", "--data", "d"],
      "--max-steps: max_steps must be more than 0, but is 0.",
    ],
    [["finetune", "--data", "d", "--output", ""], "--output: output must not be empty."],
    [["finetune"], "data.root must be given, but is missing. Pass --data DIR or write it into the recipe."],
  ])("exits with 2 for wrong usage: %j", async (argv, message) => {
    expect(await main(argv)).toBe(2);
    expect(output.stderr).toContain(message);
    expect(output.stderr).not.toContain("    at ");
    expect(output.stdout).toBe("");
  });
});

describe("doctor", () => {
  const info = { version: "2.6.0", threads: 2, cuda: false, cpuCapability: "AVX2" };
  const right = { checks: 900, faults: [], workarounds: ["gelu_backward"] };
  type Check = { name: string; state: string; found: string; remedy?: string };
  const check = async (name: string): Promise<Check | undefined> => {
    output.stdout = "";
    await main(["doctor", "--json"]);
    return JSON.parse(output.stdout).checks.find((one: Check) => one.name === name);
  };

  const none = { usable: false, found: "none that this libtorch can use" };
  beforeEach(() => gpuReport.mockReturnValue(none));

  it("says what was found", async () => {
    libtorchInfo.mockReturnValue(info);
    numericsCheck.mockReturnValue(right);
    await main(["doctor"]);
    expect(output.stdout).toContain(process.version);
    expect(output.stdout).toContain("libtorch 2.6.0");
    expect(await check("numerics")).toMatchObject({
      state: "ok",
      found: "900 checks right; worked around: gelu_backward",
    });
  });

  it("says what a GPU lacks, and does not fail, as the CPU works", async () => {
    libtorchInfo.mockReturnValue(info);
    numericsCheck.mockReturnValue(right);
    expect(await check("GPU")).toEqual({ name: "GPU", state: "ok", found: none.found });
    const missing = { found: "a card, but no driver", remedy: "Install NVIDIA's driver." };
    gpuReport.mockReturnValue({ usable: false, ...missing });
    expect(await check("GPU")).toEqual({ name: "GPU", state: "warning", ...missing });
    expect(await main(["doctor"])).toBe(0);
  });

  it("names what computes wrong and what to do", async () => {
    libtorchInfo.mockReturnValue({ ...info, cpuCapability: "DEFAULT" });
    numericsCheck.mockReturnValue({ ...right, faults: [{ operator: "aten::mm", message: "error 0.5" }] });
    expect(await main(["doctor"])).toBe(1);
    expect(await check("numerics")).toMatchObject({
      state: "failed",
      found: expect.stringContaining("aten::mm: error 0.5"),
      remedy: expect.stringContaining("npm run setup"),
    });
    expect(await check("vectors")).toMatchObject({ state: "warning" });
  });

  it("works where the bridge does not load", async () => {
    libtorchInfo.mockImplementation(() => {
      throw new Error("libtorch_cpu.so: cannot open shared object file\nmore");
    });
    expect(await main(["doctor"])).toBe(1);
    expect(await check("bridge")).toEqual({
      name: "bridge",
      state: "failed",
      found: "does not load: libtorch_cpu.so: cannot open shared object file",
      remedy: "npm run setup",
    });
    expect(output.stderr).toBe("");
  });
});

describe("finetune", () => {
  const done = { model: "runs/x/best", steps: 10, wer: 0.125, interrupted: false };
  const recipe = (): Recipe => finetune.mock.lastCall?.[0];
  const run = (...options: string[]): Promise<number> =>
    main(["finetune", "--data", "corpus", "--output", directory, ...options]);

  it("passes on the recipe with the options over it", async () => {
    finetune.mockResolvedValue(done);
    const file = join(directory, "x.yaml");
    writeFileSync(file, "data: {root: other}\nmax_steps: 7\nmodel: {hidden_size: 64}\n");
    const code = await run(
      ...[
        "--config",
        file,
        "--seed",
        "3",
        "--optimizer.learning-rate",
        "3e-4",
        "--optimizer.betas",
        "0.9,0.99",
      ],
      ...[
        "--model",
        "base",
        "--model.conv-dim",
        "[8, 8]",
        "--model.layerdrop=0.1",
        "--data.train-split",
        "a b",
      ],
    );
    expect(output.stderr).toBe("");
    expect(code).toBe(0);
    expect(recipe()).toMatchObject({
      seed: 3,
      max_steps: 7,
      output: directory,
      init: "base",
      data: { root: "corpus", train_split: "a b" },
      optimizer: { learning_rate: 3e-4, betas: [0.9, 0.99] },
      model: { hidden_size: 64, conv_dim: [8, 8], layerdrop: 0.1 },
    });
    expect(finetune.mock.lastCall?.[1]).toMatchObject({ resume: false });
    expect(output.stdout).toContain("best WER on dev  12.50 %");
  });

  it("names an unknown key of the network by its option", async () => {
    expect(await run("--model.hiden-size", "64")).toBe(2);
    expect(output.stderr).toBe(
      "--model.hiden-size: unknown key 'model.hiden_size'. Did you mean 'hidden_size'?\n",
    );
  });

  it("prints nothing but JSON to stdout with --json", async () => {
    finetune.mockResolvedValue(done);
    expect(await run("--json", "--resume")).toBe(0);
    expect(JSON.parse(output.stdout)).toEqual(done);
    expect(finetune.mock.lastCall?.[1]).toMatchObject({ resume: true });
  });

  it("names the report", async () => {
    finetune.mockImplementation(async (_: Recipe, { tracker }: RunOptions) => {
      tracker?.log?.({ loss: 1 }, 10);
      return done;
    });
    const report = join(directory, "report.html");
    expect(await run()).toBe(0);
    expect(output.stdout).toContain(`report  ${report}\n`);
    output.clear();
    expect(await run("--json")).toBe(0);
    expect(JSON.parse(output.stdout)).toEqual({ ...done, report });
  });

  it("leaves a report of what was trained before an error, and nothing where nothing was", async () => {
    finetune.mockRejectedValueOnce(new UserError("corpus must be a directory."));
    expect(await run()).toBe(1);
    expect(readdirSync(directory)).toEqual([]);
    finetune.mockImplementationOnce(async (_: Recipe, { tracker }: RunOptions) => {
      tracker?.log?.({ loss: 1 }, 10);
      throw new UserError("The loss must be finite, but is NaN.");
    });
    expect(await run()).toBe(1);
    expect(readdirSync(directory)).toContain("report.html");
  });

  it("tells training to save at the first Ctrl+C and exits with 130", async () => {
    const before = process.listenerCount("SIGINT");
    finetune.mockImplementation(async (_: Recipe, { signal }: { signal: AbortSignal }) => {
      process.emit("SIGINT");
      expect(signal.aborted).toBe(true);
      return { ...done, interrupted: true };
    });
    expect(await run()).toBe(130);
    expect(output.stderr).toContain("press Ctrl+C again");
    expect(output.stdout).toContain("--resume goes on");
    expect(process.listenerCount("SIGINT")).toBe(before);
  });

  it("prints a user's mistake without a stack trace, and a fault with one", async () => {
    finetune.mockRejectedValueOnce(new UserError("corpus must be a directory."));
    expect(await run()).toBe(1);
    expect(output.stderr).toBe("corpus must be a directory.\n");
    finetune.mockRejectedValueOnce(new TypeError("x is undefined"));
    expect(await run()).toBe(1);
    expect(output.stderr).toMatch(/TypeError: x is undefined\n\s+at .*\n[\s\S]*Please report/);
  });
});
