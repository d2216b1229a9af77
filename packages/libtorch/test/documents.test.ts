import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import * as torch from "../src/index.js";

// The blocks of code in this package's documents run and print the text below them, and each export is named there.

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const DOCUMENTS = ["packages/libtorch/README.md", "docs/tensors.md"];
const run = promisify(execFile);
const read = (document: string) =>
  readFileSync(new URL(document, new URL("../../../", import.meta.url)), "utf8");

const blocks = DOCUMENTS.flatMap((document) =>
  Array.from(read(document).matchAll(/```js\n(.*?)```\n\n```text\n(.*?)```/gs), ([, code, output], i) => ({
    name: `block ${i + 1} of ${document}`,
    code: code!,
    output: output!,
  })),
);

describe("the documents", () => {
  it("have text below each block of code", () => {
    const all = DOCUMENTS.flatMap((document) => [...read(document).matchAll(/^```js$/gm)]);
    expect(blocks).toHaveLength(all.length);
    expect(blocks.length).toBeGreaterThan(5);
  });

  it.each(blocks)("print what they say: $name", async ({ code, output }) => {
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code], { cwd: ROOT });
    expect(stdout).toBe(output);
  });

  it("name every export", () => {
    const text = read("docs/tensors.md");
    const names = [
      torch,
      torch.nn,
      torch.nn.init,
      torch.optim,
      torch.optim.lrScheduler,
      torch.distributed,
    ].flatMap((room) => Object.keys(room));
    const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    expect(missing).toEqual([]);
  });
});
