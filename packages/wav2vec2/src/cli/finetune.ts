import type { FinetuneResult } from "../training/finetuning/finetune.js";
import type { Define } from "./command.js";
import { defineTraining } from "./training-command.js";

export const defineFinetune: Define = (command, context) => {
  defineTraining<Omit<FinetuneResult, "ctc" | "metrics">>(command, context, {
    task: "finetune",
    load: async () => {
      const { finetune } = await import("../training/finetuning/finetune.js");
      return async (recipe, options) => {
        const { ctc: _, metrics: __, ...result } = await finetune(recipe, options);
        return result;
      };
    },
    describe: ({ wer, model }, { data, metric_for_best_model: metric }) =>
      wer === undefined
        ? []
        : [
            `${metric === undefined ? "best WER" : "WER"} on ${data.eval_split}  ${(wer * 100).toFixed(2)} %`,
            `model   ${model}`,
          ],
  });
};
