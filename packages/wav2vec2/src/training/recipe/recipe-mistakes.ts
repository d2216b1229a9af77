import { nearest } from "@wav2vec2/libtorch/nearest";
import type { z } from "zod";
import { isJsonObject } from "../../files/json-file.js";
import { translate } from "./recipe-aliases.js";
import { recipeKeys } from "./recipe-keys.js";
import type { RecipeIssue } from "./recipe-rules.js";

/** What zod found wrong, in words for people. */
export function explain(issue: z.core.$ZodIssue, values: unknown): RecipeIssue[] {
  const name = issue.path.join(".") || "A recipe";
  const path = [...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: unknownKey([...path, key].join("."), key),
    }));
  }
  if (issue.input === undefined && !hasPath(values, path)) {
    const hint = name === "data.root" ? " Pass --data DIR or write it into the recipe." : "";
    return [{ path, message: `${name} must be given, but is missing.${hint}` }];
  }
  const given = show(issue.input);
  switch (issue.code) {
    case "invalid_type":
      return [{ path, message: `${name} must be ${article(issue.expected)}, but is ${given}.` }];
    case "invalid_value": {
      const choices = issue.values.map(String);
      const guess = typeof issue.input === "string" ? nearest(issue.input, choices) : undefined;
      const hint = guess === undefined ? "" : ` Did you mean '${guess}'?`;
      return [{ path, message: `${name} must be ${choices.join(" or ")}, but is ${given}.${hint}` }];
    }
    case "too_small":
      if (issue.origin === "array") break;
      if (issue.origin === "string")
        return [{ path, message: `${name} must not be empty. Leave it out for its default.` }];
      return [
        {
          path,
          message: `${name} must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}, but is ${given}.`,
        },
      ];
    case "too_big":
      if (issue.origin === "array") break;
      return [
        {
          path,
          message: `${name} must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}, but is ${given}.`,
        },
      ];
  }
  if (issue.code === "too_small" || issue.code === "too_big") {
    return [{ path, message: `${name} must be a list of two numbers, but is ${given}.` }];
  }
  return [{ path, message: `${name}: ${issue.message}, but is ${given}.` }];
}

function unknownKey(fullName: string, key: string): string {
  const names = recipeKeys().map(({ name }) => name);
  const translated = translate(key, undefined) ?? translate(snakeCase(key), undefined);
  if (translated && "reason" in translated) return `unknown key '${fullName}'. ${translated.reason}`;
  const own = OTHER_NAMES[snakeCase(key)] ?? (translated && "key" in translated ? translated.key : undefined);
  if (own !== undefined) return `unknown key '${key}'. Did you mean '${inPlace(own, fullName)}'?`;
  // A known key in the wrong place is a likelier mistake than a misspelt one.
  const moved = names.find((name) => [key, snakeCase(key)].includes(name.split(".").at(-1)!));
  const guess = moved ?? nearest(fullName, names);
  if (guess === undefined) return `unknown key '${key}'. docs/recipes.md lists all keys.`;
  return `unknown key '${key}'. Did you mean '${inPlace(guess, fullName)}'?`;
}

/** A key as it is written where the wrong one stands. */
function inPlace(name: string, wrong: string): string {
  const where = name.slice(0, name.lastIndexOf(".") + 1);
  return where === wrong.slice(0, wrong.lastIndexOf(".") + 1) ? name.slice(where.length) : name;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Short names of PyTorch and of other projects' recipes that nothing takes at the edge, and the keys that are meant. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  batch_size: "data.batch_size",
  dataset: "data.root",
  epochs: "max_epochs",
  num_epochs: "max_epochs",
  learning_rate: "optimizer.learning_rate",
  lr: "optimizer.learning_rate",
  model: "init",
  num_workers: "data.workers",
  scheduler: "schedule.name",
  steps: "max_steps",
  warmup: "schedule.warmup_steps",
  wd: "optimizer.weight_decay",
};

function article(type: string): string {
  switch (type) {
    case "int":
      return "a whole number";
    case "array":
    case "tuple":
      return "a list of two numbers";
    case "object":
    case "record":
      return "a map of keys";
    case "boolean":
      return "true or false";
    default:
      return type === "string" ? "text" : `a ${type}`;
  }
}

function show(value: unknown): string {
  if (typeof value === "string") return `'${value}'`;
  if (typeof value === "number") return String(value);
  return JSON.stringify(value) ?? String(value);
}

function hasPath(values: unknown, path: readonly PropertyKey[]): boolean {
  let value = values;
  for (const key of path) {
    if (!isJsonObject(value) || !(key in value)) return false;
    value = value[String(key)];
  }
  return true;
}
