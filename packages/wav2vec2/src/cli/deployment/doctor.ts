import { availableParallelism, cpus, totalmem } from "node:os";
import type { GpuReport, Gpus } from "@wav2vec2/libtorch";
import { builtFor } from "@wav2vec2/libtorch/built-for";
import { setupCommand } from "@wav2vec2/libtorch/places";
import picocolors from "picocolors";
import { exitCodes } from "../../exit-codes.js";
import { type Define, print, printJson } from "../command.js";

/** One thing that was looked at. Only what failed keeps the program from working. */
interface Check {
  name: string;
  state: "ok" | "warning" | "failed";
  found: string;
  remedy?: string;
}

const OLDEST_NODE = 20;

export const defineDoctor: Define = (command, { exit }) => {
  command
    .option("--json", "print the result as JSON: {ok, checks: [{name, state, found, remedy}]}", false)
    .action(async ({ json }: { json: boolean }) => {
      const checks = [node(), cpu(), libtorch(), ...(await bridge())];
      const ok = checks.every(({ state }) => state !== "failed");
      if (json) printJson({ ok, checks });
      else for (const check of checks) print(describe(check));
      if (!ok) exit(exitCodes.failed);
    });
};

function describe({ name, state, found, remedy }: Check): string {
  const mark = {
    ok: picocolors.green("ok     "),
    warning: picocolors.yellow("warning"),
    failed: picocolors.red("failed "),
  }[state];
  const lines = [`${mark}  ${name.padEnd(10)}${found.replaceAll("\n", `\n${" ".repeat(19)}`)}`];
  if (remedy !== undefined) lines.push(`${" ".repeat(19)}${picocolors.bold("Do:")} ${remedy}`);
  return lines.join("\n");
}

function node(): Check {
  const found = `${process.version} on ${process.platform} ${process.arch}`;
  if (Number(process.versions.node.split(".")[0]) >= OLDEST_NODE)
    return { name: "Node.js", state: "ok", found };
  return { name: "Node.js", state: "failed", found, remedy: `Install Node.js ${OLDEST_NODE} or later.` };
}

function cpu(): Check {
  const model = cpus()[0]?.model.trim() ?? "unknown model";
  const memory = (totalmem() / 2 ** 30).toFixed(1);
  return {
    name: "machine",
    state: "ok",
    found: `${availableParallelism()} cores of ${model}, ${memory} GiB of memory`,
  };
}

/** Which libtorch set-up took and why; it leaves that beside the bridge that it builds. */
function libtorch(): Check {
  const built = builtFor();
  return built === undefined
    ? { name: "libtorch", state: "failed", found: "set-up has not chosen one", remedy: setupCommand() }
    : { name: "libtorch", state: "ok", found: `${built.version} in ${built.root} (${built.why})` };
}

/** Loads the bridge and checks that libtorch computes what it should. */
async function bridge(): Promise<Check[]> {
  try {
    const { gpuReport, gpus, libtorchInfo, numericsCheck } = await import("@wav2vec2/libtorch");
    const info = libtorchInfo();
    return [
      { name: "bridge", state: "ok", found: `loads libtorch ${info.version}` },
      vectors(info.cpuCapability),
      { name: "threads", state: "ok", found: String(info.threads) },
      gpu(gpuReport()),
      devices(gpus()),
      numerics(numericsCheck),
    ];
  } catch (error) {
    const found = `does not load: ${firstLine(error)}`;
    return [{ name: "bridge", state: "failed", found, remedy: setupCommand() }];
  }
}

/** The CPU does without a GPU, so nothing that is missing here has failed. */
function gpu({ found, remedy }: GpuReport): Check {
  return remedy === undefined
    ? { name: "GPU", state: "ok", found }
    : { name: "GPU", state: "warning", found, remedy };
}

/** What `--device` can name here. */
function devices({ cudaDevices, mps }: Gpus): Check {
  const names = ["cpu", ...Array.from({ length: cudaDevices }, (_, index) => `cuda:${index}`)];
  if (mps) names.push("mps");
  return {
    name: "devices",
    state: "ok",
    found: `${names.join(", ")}; auto is ${cudaDevices > 0 ? "cuda" : "cpu"}`,
  };
}

function numerics(numericsCheck: typeof import("@wav2vec2/libtorch").numericsCheck): Check {
  const remedy = `Use another libtorch: ${setupCommand("wheel")}, or system, or a directory.`;
  try {
    const { checks, faults, workarounds } = numericsCheck();
    const around = workarounds.length > 0 ? `; worked around: ${workarounds.join(", ")}` : "";
    if (faults.length === 0)
      return { name: "numerics", state: "ok", found: `${checks} checks right${around}` };
    const wrong = faults.map(({ operator, message }) => `${operator}: ${message}`).join("\n");
    return {
      name: "numerics",
      state: "failed",
      found: `${faults.length} of ${checks} checks wrong${around}\n${wrong}`,
      remedy,
    };
  } catch (error) {
    return { name: "numerics", state: "failed", found: `cannot be checked: ${firstLine(error)}`, remedy };
  }
}

function vectors(capability: string): Check {
  const check: Check = { name: "vectors", state: "ok", found: `libtorch computes with ${capability}` };
  // On Arm what libtorch calls its default is compiled for NEON, which all of them have.
  if (process.arch !== "x64" || !/default/i.test(capability)) return check;
  return {
    ...check,
    state: "warning",
    remedy:
      "Training is several times slower without AVX2. Run on a newer CPU, or unset ATEN_CPU_CAPABILITY.",
  };
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0]!;
}
