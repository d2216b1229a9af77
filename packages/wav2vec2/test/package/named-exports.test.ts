import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import * as wav2vec2 from "wav2vec2";
import * as recognition from "../../src/recognition/index.js";
import * as transforms from "../../src/transforms.js";
import * as web from "../../src/web/index.js";

// What is exported is there for somebody: a guide or an example says what for. The reference alone does not count.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

async function texts(): Promise<string> {
  const files = await Promise.all(
    ["docs", "examples"].map(async (directory) =>
      (await readdir(join(ROOT, directory), { withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map(({ name }) => join(ROOT, directory, name)),
    ),
  );
  const read = files.flat().map((file) => readFile(file, "utf8"));
  return (await Promise.all(read)).join("\n");
}

it("are named in a guide or an example", async () => {
  const text = await texts();
  const names = [wav2vec2, recognition, transforms, web].flatMap((module) => Object.keys(module));
  expect(names.length).toBeGreaterThan(150);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});
