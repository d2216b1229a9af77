// Writes docs/recipes.md, docs/recipes-training.md, configs/recipe.schema.json and the types of recipes from their schema. Run after
// changing a key:
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
const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "\\<");

/** Keys or their first parts by section; what no section names belongs to the last. @type {[string, string[]][]} */
const SECTIONS = [
  ["The run", ["task", "seed", "max_steps", "max_epochs", "max_minutes", "output"]],
  ["Data", ["data"]],
  [
    "Optimiser and schedule",
    ["optimizer", "schedule", "ctc_loss_reduction", "gradient_accumulation", "gradient_scaling"],
  ],
  [
    "Validation and checkpoints",
    [
      "logging_steps",
      "eval_steps",
      "save_steps",
      "keep_checkpoints",
      "metric_for_best_model",
      "greater_is_better",
      "early_stopping_patience",
      "early_stopping_threshold",
    ],
  ],
  [
    "Where it is shown",
    ["tracking", "run_name", "log_model", "histogram_steps", "system_seconds", "wandb", "mlflow"],
  ],
  ["Processes, threads, numbers", ["distributed", "threads", "device", "precision"]],
  ["Network, and what of it is trained", []],
];
/** The first sections and the last; the page of training has those between. */
const OF_DATA = 2;

/** @param {string} name */
const sectionOf = (name) =>
  SECTIONS.find(([, keys]) => keys.includes(name) || keys.includes(name.split(".")[0])) ?? SECTIONS.at(-1);

/** @param {typeof SECTIONS} sections */
function tables(sections) {
  return sections
    .map((section) => {
      const rows = recipeKeys()
        .filter(({ name }) => sectionOf(name) === section)
        .map(({ name, type, choices, default: value, description }) => {
          const kind = choices ? choices.map((choice) => `\`${choice}\``).join(", ") : type;
          const shown = value === undefined ? "" : `\`${JSON.stringify(value)}\``;
          return `| \`${name}\` | ${cell(kind)} | ${cell(shown)} | ${cell(description)} |`;
        });
      return `## ${section[0]}\n\n| key | type | default | |\n|---|---|---|---|\n${rows.join("\n")}\n`;
    })
    .join("\n");
}

const WRITTEN =
  "<!-- Written by scripts/recipe-docs.mjs from packages/wav2vec2/src/training/recipe/recipe-schema.ts; change it there. -->";
const text = `${WRITTEN}
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

Here are the keys of data and network; those of the optimiser, validation, tracking and processes are in
[recipes-training.md](recipes-training.md).

${tables([...SECTIONS.slice(0, OF_DATA), ...SECTIONS.slice(-1)])}`;

const training = `${WRITTEN}
# Recipes: how it is trained

The keys of optimiser, validation, tracking and processes. What a recipe is, and the keys of data and network, is in
[recipes.md](recipes.md).

${tables(SECTIONS.slice(OF_DATA, -1))}`;

writeFileSync(new URL("docs/recipes.md", ROOT), text);
writeFileSync(new URL("docs/recipes-training.md", ROOT), training);
writeFileSync(
  new URL("configs/recipe.schema.json", ROOT),
  `${JSON.stringify(recipeJsonSchema(), undefined, 2)}\n`,
);
const TYPES = "packages/wav2vec2/src/training/recipe/recipe-types.ts";
writeFileSync(new URL(TYPES, ROOT), recipeTypes(recipeJsonSchema(), resolvedJsonSchema()));

const biome = fileURLToPath(new URL("node_modules/@biomejs/biome/bin/biome", ROOT));
const written = ["docs/recipes.md", "docs/recipes-training.md", "configs/recipe.schema.json", TYPES];
execFileSync(process.execPath, [biome, "format", "--write", ...written], {
  cwd: fileURLToPath(ROOT),
  stdio: "inherit",
});
