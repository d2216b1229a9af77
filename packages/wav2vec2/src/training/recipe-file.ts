import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { ConfigurationError } from "../errors.js";
import { writeFileAtomic } from "../files/atomic-file.js";
import { unreadable } from "../files/unreadable.js";
import { parseRecipe, type Recipe } from "./recipe.js";
import { ALTERNATIVES, otherTask, type RecipeIssue } from "./recipe-rules.js";

/** Values of the command line by dotted key, such as `optimizer.learning_rate`, and the option each came from. */
export type Overrides = ReadonlyMap<string, { value: unknown; option: string }>;

/**
 * Reads a recipe, puts `overrides` over it and fills in defaults. Without a file, all comes from `overrides`.
 *
 * @param task what the recipe must train
 * @param fallback by dotted key, of keys that neither gives
 * @throws ConfigurationError with a line "file:line:column: mistake" for each wrong key.
 */
export function loadRecipe(
  file: string | undefined,
  overrides: Overrides = new Map(),
  task?: Recipe["task"],
  fallback: Readonly<Record<string, unknown>> = {},
): Recipe {
  const source = file === undefined ? undefined : readYaml(file);
  const values: Record<string, unknown> = source ? source.values : {};
  if (task !== undefined && source === undefined) values.task = task;
  if (file !== undefined && values.output === undefined) {
    values.output = join("runs", basename(file, extname(file)));
  }
  for (const [key, other] of ALTERNATIVES.flatMap(([a, b]) => [[a, b] as const, [b, a] as const])) {
    const replaced = overrides.has(key) && !overrides.has(other) && hasPath(values, other.split("."));
    if (replaced) setPath(values, other.split("."), undefined);
  }
  for (const [key, { value }] of overrides) setPath(values, key.split("."), value);
  for (const [key, value] of Object.entries(fallback)) {
    if (!hasPath(values, key.split("."))) setPath(values, key.split("."), value);
  }
  const { recipe, issues = taskIssues(recipe, task) } = parseRecipe(values);
  if (recipe && issues.length === 0) return recipe;
  const lines = issues.map((issue) => {
    const override = [...overrides].find(([key]) => isWithin(issue.path, key));
    return override
      ? `${override[1].option}: ${issue.message}`
      : `${source?.locate(issue) ?? ""}${issue.message}`;
  });
  throw new ConfigurationError(lines.join("\n"));
}

function taskIssues(recipe: Recipe | undefined, task: Recipe["task"] | undefined): RecipeIssue[] {
  if (recipe === undefined || task === undefined || recipe.task === task) return [];
  return [{ path: ["task"], message: otherTask(recipe, task) }];
}

/** Writes a resolved recipe; the file appears complete or not at all, and {@link loadRecipe} reads it back. */
export async function writeRecipe(path: string, recipe: Recipe): Promise<void> {
  const document = new Document(recipe);
  visit(document, {
    Seq: (_, list) => {
      list.flow = true;
    },
  });
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, document.toString({ flowCollectionPadding: false }));
}

interface YamlSource {
  values: Record<string, unknown>;
  /** "file:line:column: " of the key that an issue is about. */
  locate(issue: RecipeIssue): string;
}

function readYaml(file: string): YamlSource {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigurationError(unreadable(file, "a recipe that can be read", error).message, {
      cause: error,
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}: `;
  };
  if (document.errors.length > 0) {
    throw new ConfigurationError(
      document.errors.map((error) => `${at(error.pos[0])}${error.message}.`).join("\n"),
    );
  }
  const values: unknown = document.toJS() ?? {};
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new ConfigurationError(`${at(0)}A recipe must be a map of keys, such as 'max_steps: 1000'.`);
  }
  return {
    values: values as Record<string, unknown>,
    locate: (issue) => at(offsetOf(document, issue.path)),
  };
}

/** Where the key at `path` begins, or the deepest of its parents that the file holds. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const name = path[depth - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(name));
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const item = document.getIn(path.slice(0, depth), true);
    if (isNode(item) && item.range) return item.range[0];
  }
  return 0;
}

function hasPath(values: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return values !== undefined;
  return (
    typeof values === "object" && values !== null && hasPath((values as Record<string, unknown>)[key], rest)
  );
}

function setPath(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    values[key] = value;
    return;
  }
  const inner = values[key];
  const map = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : {};
  values[key] = map;
  setPath(map, rest, value);
}

function isWithin(path: readonly PropertyKey[], key: string): boolean {
  const names = path.map(String);
  return key.split(".").every((name, index) => names[index] === name);
}
