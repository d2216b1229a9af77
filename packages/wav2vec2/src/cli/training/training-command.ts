import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { exitCodes } from "../../exit-codes.js";
import type { Verbosity } from "../../tracking/sinks/terminal.js";
import type { Tracker } from "../../tracking/tracker.js";
import type { Recipe } from "../../training/recipe/recipe.js";
import { loadRecipe } from "../../training/recipe/recipe-file.js";
import type { RunOptions } from "../../training/run/training-run.js";
import { type CommandContext, print, printJson, showProgress } from "../command.js";
import { downloadProgress } from "../data/download-progress.js";
import { interruptible } from "../interruption.js";
import { addRecipeOptions, showName } from "./recipe-options.js";

/** What differs between the commands that train. */
export interface TrainingCommand<Result> {
  tasks: readonly Recipe["task"][];
  /** Loaded only when the command runs. */
  load: () => Promise<(recipe: Recipe, options: RunOptions) => Promise<Result>>;
  /** The result for people, a line each. */
  describe: (result: Result, recipe: Recipe) => string[];
}

interface TrainingOptions {
  config?: string;
  resume: boolean;
  json: boolean;
  quiet: boolean;
  verbose: boolean;
}

/** Options and action of a command that trains as a recipe says. */
export function defineTraining<Result extends { steps: number; interrupted: boolean }>(
  command: Command,
  { argv, exit }: CommandContext,
  { tasks, load, describe }: TrainingCommand<Result>,
): void {
  command
    .option("--config <file>", "recipe in YAML; the options below change single keys of it")
    .option("--resume", "go on from the newest checkpoint in the run directory, if there is one", false)
    .option("--json", "print the result as JSON", false)
    .addOption(
      new Option("--quiet", "say only what is wrong, and the result").default(false).conflicts("verbose"),
    )
    .option("--verbose", "a line with all metrics at every logging step", false);
  const overrides = addRecipeOptions(command, argv, tasks);
  command.action(async (options: TrainingOptions) => {
    const { resume, quiet } = options;
    const recipe = loadRecipe(options.config, overrides, tasks, { onNote: quiet ? () => {} : showName });
    let speaks = true;
    const result = await interruptible(
      "Interrupted. Saving a checkpoint; press Ctrl+C again to stop without.",
      async (signal) => {
        const run = await load();
        const { ownPlace } = await import("../../training/run/meet.js");
        speaks = (ownPlace()?.rank ?? 0) === 0; // of several processes, one reports for all
        const stop = new AbortController();
        const verbosity = quiet ? "quiet" : options.verbose ? "verbose" : "normal";
        const tracker = await trackerOf(recipe, { resume, speaks, stop, verbosity });
        const result = await run(recipe, {
          resume,
          signal: AbortSignal.any([signal, stop.signal]),
          tracker,
          ...(!quiet && {
            onDownload: downloadProgress(),
            onReading: (done, total) =>
              showProgress(done === total ? "" : `${done} of ${total ?? "?"} audio files are measured`),
          }),
        }).catch(async (error: unknown) => {
          await tracker.close().catch(() => {}); // what ended the run is what is told
          throw error;
        });
        await tracker.close();
        return result;
      },
    );
    if (result === undefined) {
      // before there was anything to save
      exit(exitCodes.interrupted);
      return;
    }
    if (result.interrupted) exit(exitCodes.interrupted);
    if (!speaks) return;
    const { reportPath } = await import("../../tracking/report/report.js");
    const path = reportPath(recipe.output);
    const report = existsSync(path) ? path : undefined; // it is no reason to fail where it could not be written
    if (options.json) {
      printJson({ ...result, report });
    } else {
      for (const line of describe(result, recipe)) print(line);
      if (report) print(`report  ${report}`);
      if (result.interrupted) {
        print(
          `Interrupted after step ${result.steps}${ofSteps(recipe)}. The same command with --resume goes on.`,
        );
      }
    }
  });
}

/** Of several processes, one reports for all. @param stop is aborted where a service is asked to end the run */
async function trackerOf(
  recipe: Recipe,
  {
    resume,
    speaks,
    stop,
    verbosity,
  }: { resume: boolean; speaks: boolean; stop: AbortController; verbosity: Verbosity },
): Promise<Tracker> {
  if (!speaks) return (await import("../../tracking/tracker.js")).QUIET;
  const { trackRun } = await import("../../tracking/run.js");
  const { chooseServices } = await import("../../tracking/services.js");
  const {
    max_steps: steps,
    max_minutes: maxMinutes,
    output,
    tracking,
    log_model: logModel,
    wandb,
    mlflow,
  } = recipe;
  const tracker = trackRun(output, {
    steps,
    maxMinutes,
    resume,
    verbosity,
    services: chooseServices(tracking, process.env),
    serviceOptions: { logModel, wandb, mlflow },
    stop(reason) {
      tracker.note(reason);
      stop.abort(new Error(reason));
    },
  });
  return tracker;
}

/** Recipes that count epochs do not know it before they have seen the data. */
function ofSteps({ max_steps: steps }: Recipe): string {
  return steps === undefined ? "" : ` of ${steps}`;
}
