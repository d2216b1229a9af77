import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigurationError } from "../../errors.js";
import { loadRecipe, type Overrides, writeRecipe } from "./recipe-file.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "recipe-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, "x.yaml");
  writeFileSync(path, text);
  return path;
}

function mistakes(text: string, overrides?: Overrides): string[] {
  const path = file(text);
  try {
    loadRecipe(path, overrides);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message.replaceAll(path, "x.yaml").split("\n");
  }
  return [];
}

function option(key: string, value: unknown, name: string): Overrides {
  return new Map([[key, { value, option: name }]]);
}

describe("loadRecipe", () => {
  it("fills in defaults and names the run after the file", () => {
    const recipe = loadRecipe(file("data: {root: corpus}\noptimizer: {learning_rate: 3e-5}\n"));
    expect(recipe.optimizer).toMatchObject({ learning_rate: 3e-5, betas: [0.9, 0.98] });
    expect(recipe.schedule.name).toBe("linear");
    expect(recipe.output).toBe(join("runs", "x"));
    expect(recipe.freeze_feature_encoder).toBe(false);
  });

  it("freezes the convolutions of a pre-trained model unless told otherwise", () => {
    const text = "data: {root: corpus}\ninit: model\n";
    expect(loadRecipe(file(text)).freeze_feature_encoder).toBe(true);
    expect(loadRecipe(file(`${text}freeze_feature_encoder: false\n`)).freeze_feature_encoder).toBe(false);
  });

  it("puts values from code over the file's, by dotted keys or nested, and takes a URL", () => {
    const path = pathToFileURL(
      file("max_steps: 5\ndata: { root: speech, batch_size: 4 }\nmodel: { hidden_size: 24 }"),
    );
    const values = { "data.root": "elsewhere", data: { workers: 0 }, max_steps: 7, seed: undefined };
    const recipe = loadRecipe(path, { ...values, model: { num_hidden_layers: 2 } });
    expect(recipe).toMatchObject({
      ...{ max_steps: 7, seed: 1, model: { hidden_size: 24, num_hidden_layers: 2 } },
      data: { root: "elsewhere", batch_size: 4, workers: 0 },
    });
    expect(() => loadRecipe(path, { "data.rot": "x" })).toThrow(/^data.rot: /);
    expect(loadRecipe(undefined, { data: { root: "speech" } }).data.root).toBe("speech");
  });

  it("puts options of the command line over the file's values", () => {
    const overrides = option("optimizer.learning_rate", 1e-3, "--optimizer.learning-rate");
    const recipe = loadRecipe(
      file("data: {root: corpus}\noptimizer:\n  learning_rate: 1\n  eps: 1e-6\n"),
      overrides,
    );
    expect(recipe.optimizer).toMatchObject({ learning_rate: 1e-3, eps: 1e-6 });
  });

  it.each([
    [
      "data:\n  root: c\noptimizer:\n  learning_rat: 1\n",
      "x.yaml:4:3: unknown key 'learning_rat'. Did you mean 'learning_rate'?",
    ],
    [
      "betas: [0.9, 0.98]\ndata: {root: c}\n",
      "x.yaml:1:1: unknown key 'betas'. Did you mean 'optimizer.betas'?",
    ],
    ["data: {root: c}\nfoo: 1\n", "x.yaml:2:1: unknown key 'foo'. docs/recipes.md lists all keys."],
    [
      "data: {root: c, batch_seconds: many}\n",
      "x.yaml:1:17: data.batch_seconds must be a number, but is 'many'.",
    ],
    ["data: {root: c}\nmax_steps: 1.5\n", "x.yaml:2:1: max_steps must be a whole number, but is 1.5."],
    ["data: {root: c}\nmax_steps: 0\n", "x.yaml:2:1: max_steps must be more than 0, but is 0."],
    [
      "data: {root: c}\nschedule:\n  name: linaer\n",
      "x.yaml:3:3: schedule.name must be linear or polynomial or cosine or cosine_with_restarts or constant or tri_stage, but is 'linaer'. Did you mean 'linear'?",
    ],
    [
      "data: {root: c}\noptimizer: {betas: [0.9]}\n",
      "x.yaml:2:13: optimizer.betas must be a list of two numbers, but is [0.9].",
    ],
    ["data: 7\n", "x.yaml:1:1: data must be a map of keys, but is 7."],
    [
      "max_steps: 3\n",
      "x.yaml:1:1: data.root must be given, but is missing. Pass --data DIR or write it into the recipe.",
    ],
    ["", "x.yaml:1:1: data.root must be given, but is missing. Pass --data DIR or write it into the recipe."],
    [
      "data: {root: c}\nschedule:\n  warmup_steps: 3\n  hold_steps: 3\n",
      "x.yaml:4:3: schedule.hold_steps belongs to the schedule tri_stage, but schedule.name is 'linear'. Remove one of them.",
    ],
    [
      "data: {root: c}\nmodel:\n  hiden_size: 3\n",
      "x.yaml:3:3: unknown key 'model.hiden_size'. Did you mean 'hidden_size'?",
    ],
    ["- 1\n", "x.yaml:1:1: A recipe must be a map of keys, such as 'max_steps: 1000'."],
    ["seed: 1\nseed: 2\n", "x.yaml:2:1: Map keys must be unique."],
  ])("says where the mistake is: %j", (text, message) => {
    expect(mistakes(text)).toEqual([message]);
  });

  it("takes epochs for steps and a share for warm-up steps, and the command line's choice over the file's", () => {
    const epochs = loadRecipe(file("data: {root: c}\nmax_epochs: 2.5\nschedule: {warmup_ratio: 0.1}\n"));
    expect(epochs).toMatchObject({ max_epochs: 2.5, schedule: { warmup_ratio: 0.1 } });
    expect(epochs.max_steps).toBeUndefined();
    expect(epochs.schedule.warmup_steps).toBeUndefined();
    const both =
      "data: {root: c}\nmax_epochs: 2\nmax_steps: 7\nschedule: {warmup_ratio: 0.1, warmup_steps: 3}\n";
    expect(mistakes(both)).toEqual([
      "x.yaml:2:1: max_epochs is given instead of max_steps, but both are. Remove one of them.",
      "x.yaml:4:12: schedule.warmup_ratio is given instead of schedule.warmup_steps, but both are. Remove one of them.",
    ]);
    const steps = "data: {root: c}\nmax_steps: 7\nschedule: {warmup_steps: 3}\n";
    const overridden = loadRecipe(file(steps), option("max_epochs", 3, "--max-epochs"));
    expect(overridden.max_epochs).toBe(3);
    expect(overridden.max_steps).toBeUndefined();
    expect(loadRecipe(file(steps), option("schedule.warmup_ratio", 0, "--x")).schedule).toEqual({
      name: "linear",
      warmup_ratio: 0,
    });
    expect(mistakes("data: {root: c}\nearly_stopping_threshold: 0.1\n")[0]).toMatch(
      /early_stopping_threshold belongs to early_stopping_patience, but that is missing/,
    );
  });

  it("reports all mistakes at once", () => {
    expect(mistakes("data: {root: c}\nsede: 1\nmax_steps: no\n")).toHaveLength(2);
  });

  it("names the option when that is where the mistake is", () => {
    expect(mistakes("data: {root: c}\n", option("max_steps", -1, "--max-steps"))).toEqual([
      "--max-steps: max_steps must be more than 0, but is -1.",
    ]);
  });

  it("says that a preset means nothing beside a model to start from", () => {
    const notes: string[] = [];
    const load = (text: string) =>
      loadRecipe(file(`data: {root: c}\npreset: large\n${text}`), new Map(), undefined, {
        onNote: (note) => notes.push(note),
      });
    load("");
    expect(notes).toEqual([]);
    load("init: runs/other\n");
    expect(notes).toEqual(["preset large is not used: the network has the shape of runs/other."]);
  });

  it("names a recipe that cannot be read", () => {
    expect(() => loadRecipe(join(directory, "none.yaml"))).toThrow(
      /none\.yaml must be a recipe that can be read, but does not exist/,
    );
  });
});

describe("writeRecipe", () => {
  it("writes what loadRecipe reads back, and leaves no other file", async () => {
    const recipe = loadRecipe(
      file("data: {root: corpus}\nmodel: {conv_dim: [64, 64]}\nschedule: {name: tri_stage, hold_steps: 4}\n"),
    );
    const path = join(directory, "run", "recipe.yaml");
    await writeRecipe(path, recipe);
    expect(loadRecipe(path)).toEqual(recipe);
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(join(directory, "run"))).toEqual(["recipe.yaml"]);
  });
});
