// Writes docs/recipes.md, configs/recipe.schema.json and the types of recipes from their schema. Run after changing a key:
//   npm run build && node scripts/recipe-docs.mjs
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  recipeJsonSchema,
  recipeKeys,
  resolvedJsonSchema,
} from "../packages/wav2vec2/dist/training/recipe/recipe-keys.js";
import { recipeTypes } from "./recipe-docs/types.mjs";

const ROOT = new URL("..", import.meta.url);

/** @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|");

const rows = recipeKeys().map(({ name, type, choices, default: value, description }) => {
  const kind = choices ? choices.map((choice) => `\`${choice}\``).join(", ") : type;
  const shown = value === undefined ? "" : `\`${JSON.stringify(value)}\``;
  return `| \`${name}\` | ${cell(kind)} | ${cell(shown)} | ${cell(description)} |`;
});

const text = `<!-- Written by scripts/recipe-docs.mjs from packages/wav2vec2/src/training/recipe/recipe-schema.ts; change it there. -->
# Recipes

A recipe is a YAML file that says what to train, on what and how. It holds only what differs from the defaults below;
the run directory gets \`recipe.yaml\` with every value (of the network, what was given). Paths are relative to the
working directory.

\`\`\`sh
npx wav2vec2 finetune --config configs/quickstart.yaml --data DATA --output runs/faster --optimizer.learning-rate 2e-3
\`\`\`

Every key is also an option of the command line, in kebab case with dots: \`--optimizer.learning-rate\` sets
\`optimizer.learning_rate\`. \`--data\` is short for \`data.root\`, \`--model\` for \`init\` (a directory or a
[Hub id](hub.md)) and \`--revision\` for \`init_revision\`. Keys of the network go below \`--model.\`, for example
\`--model.hidden-size 256\`. A misspelt key is an error with file, line and column.

Editors complete and check recipes that begin with \`# yaml-language-server: $schema=recipe.schema.json\`.

| key | type | default | |
|---|---|---|---|
${rows.join("\n")}
`;

writeFileSync(new URL("docs/recipes.md", ROOT), text);
writeFileSync(
  new URL("configs/recipe.schema.json", ROOT),
  `${JSON.stringify(recipeJsonSchema(), undefined, 2)}\n`,
);
const TYPES = "packages/wav2vec2/src/training/recipe/recipe-types.ts";
writeFileSync(new URL(TYPES, ROOT), recipeTypes(recipeJsonSchema(), resolvedJsonSchema()));

const biome = fileURLToPath(new URL("node_modules/@biomejs/biome/bin/biome", ROOT));
const written = ["docs/recipes.md", "configs/recipe.schema.json", TYPES];
execFileSync(process.execPath, [biome, "format", "--write", ...written], {
  cwd: fileURLToPath(ROOT),
  stdio: "inherit",
});
