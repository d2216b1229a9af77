import type { ClassifierTraining } from "../../training/classification/train-classifier.js";
import type { FinetuneResult } from "../../training/finetuning/finetune.js";
import { COMMANDS } from "../../training/recipe/recipe-rules.js";
import type { Define } from "../command.js";
import { percent } from "../recognition/evaluation-text.js";
import { defineTraining } from "./training-command.js";

export const defineFinetune: Define = (command, context) => {
  type Trained = Omit<FinetuneResult, "ctc" | "metrics"> | Omit<ClassifierTraining, "classifier" | "metrics">;
  defineTraining<Trained>(command, context, {
    tasks: COMMANDS.finetune,
    load: async () => async (recipe, options) => {
      if (recipe.task === "finetune") {
        const { finetune } = await import("../../training/finetuning/finetune.js");
        const { ctc: _, metrics: __, ...result } = await finetune(recipe, options);
        return result;
      }
      const { trainClassifier } = await import("../../training/classification/train-classifier.js");
      const { classifier: _, metrics: __, ...result } = await trainClassifier(recipe, options);
      return result;
    },
    describe: ({ model, ...result }, { data, metric_for_best_model: metric }) => {
      const score = bestScore(result);
      return score === undefined
        ? []
        : [
            `${metric === undefined ? "best " : ""}${score[0]} on ${data.eval_split}  ${percent(score[1])}`,
            `model   ${model}`,
          ];
    },
  });
};

type Result = Partial<Omit<FinetuneResult, "model"> & Omit<ClassifierTraining, "model">>;

function bestScore({ wer, accuracy, macroF1, equalErrorRate }: Result): [string, number] | undefined {
  if (wer !== undefined) return ["WER", wer];
  if (accuracy !== undefined) return ["accuracy", accuracy];
  if (macroF1 !== undefined) return ["macro F1", macroF1];
  return equalErrorRate === undefined ? undefined : ["equal error rate", equalErrorRate];
}
