import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { combineTrackers } from "../../tracking/tracker.js";
import { type Recipe, resolveRecipe } from "../recipe/recipe.js";
import { takeRunDirectory } from "./run-directory.js";

const quiet = combineTrackers([]);

function recipe(output: string, more: object = {}): Recipe {
  return resolveRecipe({ output, data: { root: "corpus" }, ...more });
}

/** A directory that holds a run with a checkpoint. */
async function begun(output: string): Promise<void> {
  await using run = await takeRunDirectory(recipe(output), false, quiet);
  await run.begin(recipe(output));
  await mkdir(join(output, "checkpoints/step-5"), { recursive: true });
}

describe("a run directory", () => {
  it("is gone again where the run never began", async () => {
    const output = join(await temporaryDirectory("run"), "new");
    {
      await using _ = await takeRunDirectory(recipe(output), false, quiet);
      expect(await readdir(output)).toEqual(["run.lock"]);
    }
    await expect(readdir(output)).rejects.toThrow("ENOENT");
    {
      await using run = await takeRunDirectory(recipe(output), false, quiet);
      await run.begin(recipe(output));
    }
    expect(await readdir(output)).toEqual(["recipe.yaml"]);
  });

  it("is written by one process at a time", async () => {
    const output = await temporaryDirectory("run");
    await using _ = await takeRunDirectory(recipe(output), false, quiet);
    await expect(takeRunDirectory(recipe(output), false, quiet)).rejects.toThrow("one process at a time");
  });

  it.each(["best", "final"])("is not one that holds %s alone, which stays", async (name) => {
    const output = await temporaryDirectory("run");
    await mkdir(join(output, name));
    await writeFile(join(output, name, "model.safetensors"), "months of work");
    for (const resume of [false, true]) {
      await expect(takeRunDirectory(recipe(output), resume, quiet)).rejects.toThrow(
        `must be a new run directory or hold checkpoints, but holds ${name} without any.`,
      );
    }
    expect(await readdir(output)).toEqual([name]);
    expect(await readFile(join(output, name, "model.safetensors"), "utf8")).toBe("months of work");
  });

  it("is not gone on with by accident, nor by another recipe", async () => {
    const output = await temporaryDirectory("run");
    await begun(output);
    await expect(takeRunDirectory(recipe(output), false, quiet)).rejects.toThrow("Add --resume to go on");
    const another = recipe(output, { data: { root: "corpus", batch_seconds: 20 } });
    await expect(takeRunDirectory(another, true, quiet)).rejects.toThrow(
      `data.batch_seconds must be as in ${join(output, "recipe.yaml")} to go on with that run, but is 20 instead of ` +
        "not given. Give another --output for another run.",
    );
    const longer = recipe(output, {
      max_steps: 9,
      data: { root: "corpus", workers: 2 },
      // of half as many processes, whose network is slower
      gradient_accumulation: 2,
      distributed: { timeout: 60 },
    });
    await using run = await takeRunDirectory(longer, true, quiet);
    await run.begin(longer);
    expect(await readFile(join(output, "recipe.yaml"), "utf8")).toContain("max_steps: 9");
  });

  it("must be one, and one that can be written", async () => {
    const parent = await temporaryDirectory("run");
    const file = join(parent, "file");
    await writeFile(file, "");
    for (const [output, reason] of [
      [file, "it is a file"],
      [join(file, "below"), "its directory is a file"],
    ] as const) {
      await expect(takeRunDirectory(recipe(output), false, quiet)).rejects.toThrow(
        `${output} must be a directory that can be written, but ${reason}. Give another --output.`,
      );
    }
  });

  it("says where there is nothing to go on from", async () => {
    const output = await temporaryDirectory("run");
    const notes: string[] = [];
    await using _ = await takeRunDirectory(recipe(output), true, {
      ...quiet,
      note: (text) => notes.push(text),
    });
    expect(notes).toEqual([`${output} holds no checkpoint to go on from: a new run begins.`]);
  });
});
