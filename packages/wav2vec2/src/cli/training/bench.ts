import { exitCodes } from "../../exit-codes.js";
import { writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { formatDuration } from "../../tracking/duration.js";
import type { BenchResult } from "../../training/bench.js";
import type { Recipe } from "../../training/recipe/recipe.js";
import { loadRecipe } from "../../training/recipe/recipe-file.js";
import { type Define, positiveWhole, print, printJson, showProgress } from "../command.js";
import { interruptible } from "../interruption.js";
import { addRecipeOptions, showName } from "./recipe-options.js";

/** Clips can be made up: a recipe needs no corpus to be measured. */
const NO_CORPUS = "";

interface Options {
  config?: string;
  batches: number;
  memory?: string;
  json: boolean;
}

export const defineBench: Define = (command, { argv, exit }) => {
  command
    .option("--config <file>", "recipe in YAML; the options below change single keys of it")
    .option("--batches <number>", "how many batches to measure", positiveWhole, 5)
    .option(
      "--memory <file.svg>",
      "draw what a step of one batch holds, over its time, by operator and module",
    )
    .option("--json", "print the result as JSON", false);
  const overrides = addRecipeOptions(command, argv);
  command.action(async ({ config, batches, memory, json }: Options) => {
    const recipe = loadRecipe(config, overrides, undefined, {
      fallback: { "data.root": NO_CORPUS },
      onNote: showName,
    });
    const corpus = recipe.data.root !== NO_CORPUS;
    const { bench } = await import("../../training/bench.js");
    const onProgress = (done: number, total: number) => showProgress(`batch ${done + 1} of ${total}`);
    const measured = await interruptible("Interrupted.", (signal) =>
      bench(recipe, { corpus, batches, profile: memory !== undefined, signal, onProgress }),
    ).finally(() => showProgress(""));
    if (measured === undefined) return exit(exitCodes.interrupted);
    const { profile, ...result } = measured;
    if (memory !== undefined && profile) {
      const { memoryPicture } = await import("../../training/memory-picture.js");
      await writeFileAtomic(memory, memoryPicture(profile));
    }
    if (json) {
      printJson(result);
    } else {
      for (const line of describe(result, recipe)) print(line);
    }
  });
};

function describe(result: Omit<BenchResult, "profile">, { max_minutes: minutes, data }: Recipe): string[] {
  const { batchSeconds, stepSeconds, batchesAStep, recipeSeconds, recipeSteps: steps } = result;
  const [fastest, slowest] = [Math.min(...batchSeconds), Math.max(...batchSeconds)];
  const limited = minutes !== undefined && recipeSeconds >= minutes * 60;
  const { madeUpClipSeconds: clip } = result;
  const epochs = result.epochs === undefined ? "" : `, ${data.train_split} ${result.epochs.toFixed(1)} times`;
  return [
    `network   ${(result.parameters / 1e6).toFixed(2)} M parameters: ${size(result.modelMb)}, a checkpoint ${size(result.checkpointMb)}`,
    ...(clip === undefined
      ? []
      : [
          `clips     made up, ${clip} s each (LibriSpeech's mean, at most data.max_seconds), as data.root is not given`,
        ]),
    `batch     ${result.batchAudioSeconds.toFixed(1)} s of audio, forward and backward in ${precise(fastest)} to ${precise(slowest)} s`,
    `step      ${batchesAStep === 1 ? "1 batch" : `${batchesAStep} batches`} in ${precise(stepSeconds)} s: ${result.audioSecondsPerSecond.toPrecision(3)} s of audio a second`,
    `precision ${precisionsOf(result)}`,
    `memory    ${size(result.memoryMb)} at its highest, in steps or validation`,
    limited
      ? `recipe    stops after ${minutes} min at about step ${Math.floor(recipeSeconds / stepSeconds).toLocaleString("en")} of ${steps.toLocaleString("en")}`
      : `recipe    ${steps.toLocaleString("en")} steps in ${formatDuration(recipeSeconds)}, and what validation takes`,
    `audio     ${result.recipeAudioHours.toPrecision(3)} h${epochs}`,
  ];
}

function precisionsOf({ precision, precisions }: Pick<BenchResult, "precision" | "precisions">): string {
  const others = precisions
    .filter((other) => other.precision !== precision)
    .map(({ precision: other, stepSeconds: seconds }) =>
      seconds === undefined ? `much slower in ${other}` : `in ${precise(seconds)} s in ${other}`,
    );
  return `${precision}${others.length > 0 ? `; a step is ${others.join(" and ")}` : ""}`;
}

function size(megabytes: number): string {
  return megabytes < 1000 ? `${megabytes.toPrecision(3)} MB` : `${(megabytes / 1000).toPrecision(3)} GB`;
}

function precise(seconds: number): string {
  return String(Number(seconds.toPrecision(3)));
}
