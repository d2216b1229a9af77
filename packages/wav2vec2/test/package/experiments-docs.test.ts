import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

// Each piece of code in docs/experiments.md, docs/own-training.md and docs/transforms.md, and that of docs/tracking.md, runs as it stands,
// with a recipe of a tiny network and two steps.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "experiments-"));
  await writeToneCorpus(join(directory, "DATA"), { train: 16, dev: 3 });
  await symlink(join(ROOT, "node_modules"), join(directory, "node_modules"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What the first pieces of pages import and declare, each name once. */
function commonLines(pieces: string[]): string {
  const statements = pieces.flatMap((piece) => piece.match(/^(import|const) [^;]*;/gms)!);
  const names = new Map<string, Set<string>>();
  for (const statement of statements) {
    const [, imported, source] = /^import \{(.*)\} from "(.*)";$/s.exec(statement) ?? [];
    if (source === undefined) continue;
    const all = names.get(source) ?? new Set();
    for (const name of imported!.split(",").map((word) => word.trim())) if (name) all.add(name);
    names.set(source, all);
  }
  const imports = [...names].map(([source, all]) => `import { ${[...all].join(", ")} } from "${source}";`);
  const others = new Set(statements.filter((statement) => statement.startsWith("const ")));
  return [...imports, ...others].join("\n");
}

it("shows code that runs", { timeout: 600_000 }, async () => {
  const pages = ["docs/experiments.md", "docs/own-training.md", "docs/transforms.md"];
  const ofPages = await Promise.all(
    pages.map(async (page) => {
      const text = await readFile(join(ROOT, page), "utf8");
      return Array.from(text.matchAll(/```js\n([\s\S]*?)```/g), ([, block]) => block!);
    }),
  );
  const imports = commonLines(ofPages.map(([lines]) => lines!));
  const blocks = ofPages.flatMap((found) => found.slice(1));
  const transforms = blocks.filter((block) => block.startsWith("// my-transforms.mjs"));
  expect(transforms).toHaveLength(1);
  await writeFile(join(directory, "my-transforms.mjs"), transforms[0]!);
  const tracking = await readFile(join(ROOT, "docs/tracking.md"), "utf8");
  const ofTrackers = Array.from(tracking.matchAll(/```js\n([\s\S]*?)```/g), ([, block]) =>
    block!.replace(/^import .*\n/gm, ""),
  );
  expect(ofTrackers).toHaveLength(1);
  const scripts = [...blocks.filter((block) => !transforms.includes(block)), ...ofTrackers];
  expect(scripts.length).toBeGreaterThan(12);
  const recipeOf = (place: number) =>
    JSON.stringify({
      ...{ output: `runs/${place}`, data: { root: "DATA", batch_seconds: 6 }, model: TINY_MODEL, threads: 1 },
      ...{ max_steps: 3, schedule: { warmup_steps: 0 }, logging_steps: 1, eval_steps: 2 },
    });
  const numbered = scripts.map(
    (block, place) =>
      `{\nconst recipe = resolveRecipe(${recipeOf(place)});\n${block}console.log("block ${place}");\n}`,
  );
  const program = `import { combineTrackers } from "wav2vec2";\n${imports}\n${numbered.join("\n")}`;
  await writeFile(join(directory, "all.mjs"), program);
  const { stdout } = await run(process.execPath, ["all.mjs"], { cwd: directory });
  for (const place of scripts.keys()) expect(stdout).toContain(`block ${place}\n`);
});
