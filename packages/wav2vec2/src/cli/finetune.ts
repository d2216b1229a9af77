import { loadRecipe } from "../training/recipe-file.js";
import { type Define, exitCodes, print, printJson, showProgress } from "./command.js";
import { downloadProgress } from "./download-progress.js";
import { interruptible } from "./interruption.js";
import { addRecipeOptions } from "./recipe-options.js";

export const defineFinetune: Define = (command, { argv, exit }) => {
  command
    .option("--config <file>", "recipe in YAML; the options below change single keys of it")
    .option("--resume", "go on from the newest checkpoint in the run directory, if there is one", false)
    .option("--json", "print the result as JSON", false);
  const overrides = addRecipeOptions(command, argv);
  command.action(async (options: { config?: string; resume: boolean; json: boolean }) => {
    const recipe = loadRecipe(options.config, overrides);
    const { finetune } = await import("../training/finetune.js");
    const { trackRun } = await import("../tracking/run.js");
    const { writeReport } = await import("../tracking/report.js");
    const tracker = trackRun(recipe.output, {
      steps: recipe.max_steps,
      maxMinutes: recipe.max_minutes,
      resume: options.resume,
    });
    const result = await interruptible(
      "Interrupted. Saving a checkpoint; press Ctrl+C again to stop without.",
      (signal) =>
        finetune(recipe, {
          resume: options.resume,
          signal,
          tracker,
          onDownload: downloadProgress(),
          onReading: (done, total) =>
            showProgress(done === total ? "" : `${done} of ${total ?? "?"} audio files are measured`),
        }),
    ).finally(() => tracker.close());
    if (result === undefined) {
      // before there was anything to save
      exit(exitCodes.interrupted);
      return;
    }
    const report = await writeReport(recipe.output);
    if (options.json) {
      printJson({ ...result, report });
    } else {
      if (result.wer !== undefined) {
        print(`best WER on ${recipe.data.eval_split}  ${(result.wer * 100).toFixed(2)} %`);
        print(`model   ${result.model}`);
      }
      print(`report  ${report}`);
      if (result.interrupted) {
        print(
          `Interrupted after step ${result.steps} of ${recipe.max_steps}. The same command with --resume goes on.`,
        );
      }
    }
    if (result.interrupted) exit(exitCodes.interrupted);
  });
};
