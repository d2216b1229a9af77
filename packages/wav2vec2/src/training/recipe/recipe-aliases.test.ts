import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_KEYS } from "../../model/configuration-file.js";
import { ALIASES, REFUSED, translate } from "./recipe-aliases.js";
import { loadRecipe } from "./recipe-file.js";
import { recipeKeys } from "./recipe-keys.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "aliases-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** What becomes of a recipe, and what is said of it. */
function load(text: string, options: Record<string, unknown> = {}) {
  const path = join(directory, "x.yaml");
  writeFileSync(path, `data: {root: c}\n${text}`);
  const overrides = new Map(
    Object.entries(options).map(([name, value]) => [
      name,
      { value, option: `--${name.replaceAll("_", "-")}` },
    ]),
  );
  const notes: string[] = [];
  try {
    const recipe = loadRecipe(path, overrides, undefined, { onNote: (note) => notes.push(note) });
    return { recipe, notes: notes.map((note) => note.replace(path, "x.yaml")), mistakes: [] };
  } catch (error) {
    return { mistakes: (error as Error).message.replaceAll(path, "x.yaml").split("\n") };
  }
}

describe("names of other projects", () => {
  it("are names of keys that exist, and of no key of a recipe", () => {
    const keys = new Set([
      ...recipeKeys().map(({ name }) => name),
      ...CONFIG_KEYS.map((key) => `model.${key}`),
    ]);
    for (const { key } of Object.values(ALIASES)) expect(keys).toContain(key);
    for (const name of [...Object.keys(ALIASES), ...Object.keys(REFUSED)]) expect(keys).not.toContain(name);
    expect(translate("seed", 1)).toBeUndefined();
    expect(translate("constructor", 1)).toBeUndefined();
  });

  it("are taken from a file and from options, and it is said what they became", () => {
    const { recipe, notes } = load(
      "learning_rate: 1e-4\nper_device_train_batch_size: 8\nfp16: false\nbf16: true\nlr_scheduler_type: constant_with_warmup\n" +
        "mask_time_prob: 0.3\ngroup_by_length: false\nnum_train_epochs: 3\noptimizer: {eps: 1e-6}\n",
      { learning_rate: 2e-4, freeze_feature_extractor: true, save_total_limit: 4 },
    );
    expect(recipe).toMatchObject({
      optimizer: { learning_rate: 2e-4, eps: 1e-6 },
      data: { batch_size: 8, group_by_length: false },
      precision: "bfloat16",
      schedule: { name: "constant" },
      model: { mask_time_prob: 0.3 },
      max_epochs: 3,
      freeze_feature_encoder: true,
      keep_checkpoints: 4,
    });
    expect(notes).toContain("per_device_train_batch_size of x.yaml is taken as data.batch_size.");
    expect(notes).toContain("--freeze-feature-extractor is taken as freeze_feature_encoder.");
    expect(load("seed: 3\n").notes).toEqual([]);
  });

  it("are refused beside the key's own name, and beside another name of it", () => {
    const { mistakes } = load("learning_rate: 1\noptimizer: {learning_rate: 2}\nfp16: true\nbf16: true\n");
    expect(mistakes).toEqual([
      "x.yaml:2:1: learning_rate is another name of optimizer.learning_rate, but optimizer.learning_rate is given too. Remove one of them.",
      "x.yaml:5:1: bf16 is another name of precision, but fp16 is given too. Remove one of them.",
    ]);
    expect(load("", { max_steps: 3, max_train_steps: 4 }).mistakes).toEqual([
      "--max-train-steps: max_train_steps is another name of max_steps, but --max-steps is given too. Remove one of them.",
    ]);
    expect(load("num_train_epochs: 3\nmax_steps: 4\n").mistakes[0]).toMatch(
      /^x.yaml:2:1: max_epochs is given instead of/,
    );
  });

  it("that mean nothing here are refused with the reason, and wrong values where they stand", () => {
    expect(load("push_to_hub: true\nlr_scheduler_type: constant\nlayerdrop: 0.1\n").mistakes).toEqual([
      "x.yaml:2:1: push_to_hub has no meaning here: nothing is sent anywhere: copy best/ from the run directory.",
      "x.yaml:3:1: lr_scheduler_type has no meaning here: Hugging Face's 'constant' has no warm-up: give constant_with_warmup, or schedule.name constant with schedule.warmup_steps 0.",
    ]);
    expect(load("", { eval_strategy: "epoch" }).mistakes[0]).toMatch(
      /^--eval-strategy: eval_strategy has no meaning here/,
    );
    expect(load("seed: 1\nlearning_rate: -1\n").mistakes).toEqual([
      "x.yaml:3:1: optimizer.learning_rate must be more than 0, but is -1.",
    ]);
    expect(load("", { learning_rate: -1 }).mistakes).toEqual([
      "--learning-rate: optimizer.learning_rate must be more than 0, but is -1.",
    ]);
    expect(load("fp16: maybe\n").mistakes[0]).toMatch(/^x.yaml:2:1: precision must be .*but is 'maybe'/);
  });
});
