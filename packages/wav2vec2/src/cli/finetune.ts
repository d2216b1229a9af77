import type { FinetuneResult } from "../training/finetuning/finetune.js";
import type { Define } from "./command.js";
import { defineTraining } from "./training-command.js";

export const defineFinetune: Define = (command, context) => {
  defineTraining<FinetuneResult>(command, context, {
    task: "finetune",
    load: async () => (await import("../training/finetuning/finetune.js")).finetune,
    describe: ({ wer, model }, { data }) =>
      wer === undefined
        ? []
        : [`best WER on ${data.eval_split}  ${(wer * 100).toFixed(2)} %`, `model   ${model}`],
  });
};
