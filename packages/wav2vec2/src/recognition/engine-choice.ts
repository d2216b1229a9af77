import { existsSync } from "node:fs";
import { join } from "node:path";
import { choice, type Kind } from "../argument-kinds.js";
import { ConfigurationError } from "../errors.js";
import { chooseWeights, isExported } from "../files/hub/model-files.js";

/** What runs a network. */
export type Engine = "libtorch" | "onnx";
/** What is wanted; `auto` takes onnxruntime for a directory that holds nothing else to run than what `export` wrote. */
export type WantedEngine = Engine | "auto";

export const WANTED_ENGINES = ["auto", "libtorch", "onnx"] as const satisfies readonly WantedEngine[];
export const WANTED_ENGINE: Kind = choice(...WANTED_ENGINES);

/** @param model a model directory or Hub id; undefined where it is in memory, which is libtorch's */
export function engineFor(model: string | undefined, wanted: WantedEngine = "auto"): Engine {
  if (model === undefined) {
    if (wanted === "onnx")
      throw new ConfigurationError(
        "engine onnx must stand with a directory that export wrote, but stands with a model in memory. Leave engine out, or export the model.",
      );
    return "libtorch";
  }
  if (wanted !== "auto") return wanted;
  const hasWeights = chooseWeights((name) => existsSync(join(model, name))) !== undefined;
  return !hasWeights && isExported(model) ? "onnx" : "libtorch";
}

/** @throws ConfigurationError for a number format of exported networks where libtorch runs the model */
export function refuseDtype(engine: Engine, dtype: string | undefined): void {
  if (engine === "libtorch" && dtype !== undefined)
    throw new ConfigurationError(
      `dtype must be left out with libtorch, but is ${JSON.stringify(dtype)}. Choose precision, or take what export wrote with engine onnx.`,
    );
}

/** @throws ConfigurationError for options of libtorch's, which would change nothing with onnxruntime */
export function refuseTorchOptions(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options))
    if (value !== undefined)
      throw new ConfigurationError(
        `${name} must be left out with onnxruntime, which takes the numbers of what export wrote and the CPU, but is ${JSON.stringify(value)}. Leave it out, or take libtorch.`,
      );
}
