import { type Command, Option } from "commander";
import { ConfigurationError } from "../../errors.js";
import {
  type Engine,
  engineFor,
  WANTED_ENGINES,
  type WantedEngine,
} from "../../recognition/engine-choice.js";

export interface EngineArguments {
  engine: WantedEngine;
  dtype?: string;
}

/** Gives `--engine` and `--dtype` to a command that runs a recogniser. */
export function addEngineOption(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--engine <name>",
        "what runs the network; onnx: a directory that export wrote, by onnxruntime, without libtorch; auto: that where the directory has nothing else to run",
      )
        .choices(WANTED_ENGINES)
        .default("auto"),
    )
    .option(
      "--dtype <name>",
      "of --engine onnx: which of the exported networks, float32, float16, int8, q8 or q4 (default: float32, else what there is)",
    );
}

/**
 * Which engine runs a model.
 *
 * @param torchOnly options that change nothing with onnxruntime, by Commander's names
 * @throws ConfigurationError where one of them is given with it, or --dtype without it
 */
export function chooseEngine(command: Command, model: string, torchOnly: readonly string[]): Engine {
  const { engine: wanted, dtype } = command.opts<EngineArguments>();
  const engine = engineFor(model, wanted);
  if (engine === "libtorch") {
    if (dtype !== undefined)
      throw new ConfigurationError("--dtype must stand with --engine onnx, but stands without.");
    return engine;
  }
  for (const option of command.options) {
    const name = option.attributeName();
    if (torchOnly.includes(name) && command.getOptionValueSource(name) === "cli")
      throw new ConfigurationError(
        `${option.long} must stand without --engine onnx, which takes the CPU, the numbers of the file and one recording after the other, but stands with it.`,
      );
  }
  return engine;
}

/** What `--threads` says, for libtorch; onnxruntime gets it where a network is opened. */
export async function setEngineThreads(engine: Engine, threads: number | undefined): Promise<void> {
  if (engine === "libtorch" && threads !== undefined)
    (await import("@wav2vec2/libtorch")).setThreads(threads);
}
