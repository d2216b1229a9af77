import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireRun } from "./find-run.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "find-run-"));
  for (const [name, file] of [
    ["digits", "metrics.jsonl"],
    ["letters", "recipe.yaml"],
    ["words", "run.json"],
  ] as const) {
    mkdirSync(join(root, "runs", name, "best"), { recursive: true });
    writeFileSync(join(root, "runs", name, file), "");
  }
  mkdirSync(join(root, "empty"));
});
afterAll(() => rmSync(root, { recursive: true }));

describe("requireRun", () => {
  it("takes what any version of a run has left", () => {
    for (const name of ["digits", "letters", "words"])
      expect(() => requireRun(join(root, "runs", name))).not.toThrow();
  });

  it.each([
    [
      "runs",
      "none of run.json, metrics.jsonl, recipe.yaml is in it. Give a run that lies in it: ",
      "/runs/digits, ",
    ],
    [
      "runs/digits/best",
      "none of run.json, metrics.jsonl, recipe.yaml is in it. Give the run that it lies in: ",
      "/runs/digits.",
    ],
    ["runs/digits/metrics.jsonl", "it is a file. Give the run that it lies in: ", "/runs/digits."],
    ["runs/digit", "it does not exist. Did you mean ", "/runs/digits?"],
    ["runs/nothing-like-it", "it does not exist. Give a run that lies beside it: ", "/runs/letters"],
    ["empty", "is in it. Give the directory that training wrote to", "('output' of the recipe)."],
    ["none/of/it", "it does not exist. Give the directory", "that training wrote to"],
  ])("says of %s what is missing and which run is near", (path, reason, near) => {
    const message = (() => {
      try {
        requireRun(join(root, path));
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    })();
    expect(message).toContain(`${join(root, path)} must be a run directory, but `);
    expect(message).toContain(reason);
    expect(message).toContain(near);
  });
});
