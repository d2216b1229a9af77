import type { PretrainResult } from "../../training/pretraining/pretrain.js";
import { COMMANDS } from "../../training/recipe/recipe-rules.js";
import type { Define } from "../command.js";
import { defineTraining } from "./training-command.js";

export const definePretrain: Define = (command, context) => {
  defineTraining<Omit<PretrainResult, "pretrained">>(command, context, {
    tasks: COMMANDS.pretrain,
    load: async () => {
      const { pretrain } = await import("../../training/pretraining/pretrain.js");
      return async (recipe, options) => {
        const { pretrained: _, ...result } = await pretrain(recipe, options);
        return result;
      };
    },
    describe: ({ contrastiveLoss, chanceLoss, accuracy, perplexity, collapsed, model }, { data }) => [
      ...(contrastiveLoss === undefined
        ? []
        : [
            `contrastive loss on ${data.eval_split}  ${contrastiveLoss.toFixed(3)} (chance ${chanceLoss.toFixed(3)}), ` +
              `accuracy ${(accuracy! * 100).toFixed(1)} %, codevector perplexity ${perplexity!.toFixed(1)}`,
          ]),
      ...(collapsed
        ? [
            "The codebooks have collapsed, so loss and accuracy say nothing. docs/pretraining-troubles.md tells what to do.",
          ]
        : []),
      ...(model === undefined ? [] : [`model   ${model}`]),
    ],
  });
};
