import { cp } from "node:fs/promises";
import { join } from "node:path";
import { finetune } from "../src/training/finetuning/finetune.js";
import { resolveRecipe } from "../src/training/recipe/recipe.js";
import { madeOnce } from "./made-once.js";
import { recorder } from "./recorder.js";
import { TINY_MODEL, writeToneCorpus } from "./tone-corpus.js";

/** So that what it learns does not hang on which numbers are drawn. */
const WITHOUT_DROPOUT = {
  layerdrop: 0,
  hidden_dropout: 0,
  attention_dropout: 0,
  activation_dropout: 0,
  feat_proj_dropout: 0,
  final_dropout: 0,
};

/**
 * A small network that was taught the language of three tones, whose corpus is in `corpus/` below `directory`.
 *
 * @returns its model directory
 */
export async function trainToneModel(directory: string): Promise<string> {
  await cp(await madeOnce("tone-model", train), directory, { recursive: true });
  return join(directory, "run/best");
}

async function train(directory: string): Promise<void> {
  await writeToneCorpus(join(directory, "corpus"), { train: 80, dev: 6 });
  const recipe = resolveRecipe({
    task: "finetune",
    output: join(directory, "run"),
    data: { root: join(directory, "corpus"), batch_seconds: 8 },
    model: { ...TINY_MODEL, ...WITHOUT_DROPOUT },
    optimizer: { learning_rate: 5e-3 },
    schedule: { warmup_steps: 20 },
    max_steps: 360,
    logging_steps: 100,
    eval_steps: 120,
    save_steps: 1000,
    threads: 1,
  });
  const { signal } = new AbortController();
  await finetune(recipe, { resume: false, signal, tracker: recorder().tracker });
}
