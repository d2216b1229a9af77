import { readFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Document } from "yaml";
import { type Kind, PATH, requireArguments } from "../../argument-kinds.js";
import { flattened } from "../../differences.js";
import { ConfigurationError } from "../../errors.js";
import { writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { makeDirectory } from "../../files/make-directory.js";
import { unreadable } from "../../files/unreadable.js";
import { yaml } from "../../files/yaml.js";
import { parseRecipe, type Recipe } from "./recipe.js";
import { translate } from "./recipe-aliases.js";
import { RECIPE_VALUES } from "./recipe-kind.js";
import { ALTERNATIVES, otherTask, type RecipeIssue } from "./recipe-rules.js";

/** Values of the command line by dotted key, such as `optimizer.learning_rate`, and the option each came from. */
export type Overrides = ReadonlyMap<string, { value: unknown; option: string }>;

/** Values from code: by dotted key, such as `"data.root"`, or nested as in a recipe. */
export type RecipeValues = Readonly<Record<string, unknown>>;

export interface LoadRecipeOptions {
  /** By dotted key, of keys that neither the file nor the overrides give. */
  fallback?: Readonly<Record<string, unknown>>;
  /** Gets which names of other projects became which keys. */
  onNote?: (text: string) => void;
}

const RECIPE_FILE: Kind = {
  ...PATH,
  must: "a path or a file: URL",
  holds: (value) => value === undefined || value instanceof URL || PATH.holds(value),
  advice: (value) =>
    typeof value === "object" ? "Values alone are a recipe by resolveRecipe({ … })." : undefined,
};

const OVERRIDING: Kind = {
  ...RECIPE_VALUES,
  holds: (value) => value instanceof Map || RECIPE_VALUES.holds(value),
};

/**
 * Reads a recipe, puts `overriding` over it and fills in defaults. Without a file, all comes from that. Names that
 * other projects have for a key are taken too: `loadRecipe("recipe.yaml", { "data.root": "speech", max_steps: 100 })`.
 *
 * @param file a path, or a `file:` URL
 * @param overriding what goes before the file's keys
 * @param tasks what the recipe may train, the first where it does not say
 * @throws ConfigurationError with a line "file:line:column: mistake" for each wrong key.
 */
export function loadRecipe(
  path: string | URL | undefined,
  overriding: Overrides | RecipeValues = {},
  tasks?: readonly Recipe["task"][],
  { fallback = {}, onNote }: LoadRecipeOptions = {},
): Recipe {
  requireArguments("loadRecipe", { path: [path, RECIPE_FILE], overriding: [overriding, OVERRIDING] });
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const given = isOverrides(overriding) ? overriding : overridesOf(overriding);
  const source = file === undefined ? undefined : readYaml(file);
  const { values, ...fromFile } = ownKeys(source?.values ?? {});
  const { overrides, misnamed } = ownOverrides(given);
  for (const [key, name] of fromFile.names) onNote?.(`${name} of ${file} is taken as ${key}.`);
  for (const [key, { option }] of overrides) if (!given.has(key)) onNote?.(`${option} is taken as ${key}.`);
  if (tasks !== undefined && source === undefined) values.task = tasks[0];
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
  const { recipe, issues = taskIssues(recipe, tasks) } = parseRecipe(values);
  if (recipe && issues.length + fromFile.issues.length + misnamed.length === 0) {
    if (recipe.init !== undefined && values.preset !== undefined)
      onNote?.(`preset ${recipe.preset} is not used: the network has the shape of ${recipe.init}.`);
    return recipe;
  }
  const lines = issues.map((issue) => {
    const override = [...overrides].find(([key]) => isWithin(issue.path, key));
    if (override) return `${override[1].option}: ${issue.message}`;
    const name = [...fromFile.names].find(([key]) => isWithin(issue.path, key))?.[1];
    return `${source?.locate(name === undefined ? issue : { ...issue, path: [name] }) ?? ""}${issue.message}`;
  });
  lines.unshift(...misnamed, ...fromFile.issues.map((issue) => `${source?.locate(issue)}${issue.message}`));
  throw new ConfigurationError(lines.join("\n"));
}

function isOverrides(given: Overrides | RecipeValues): given is Overrides {
  return given instanceof Map;
}

function overridesOf(values: RecipeValues): Overrides {
  const given = Object.entries(flattened(values)).filter(([key, value]) => key !== "" && value !== undefined);
  return new Map(given.map(([key, value]) => [key, { value, option: key }]));
}

/** A file's values with the recipe's own keys in place of other names. */
function ownKeys(given: Readonly<Record<string, unknown>>): {
  values: Record<string, unknown>;
  /** The other name of each key that had one. */
  names: Map<string, string>;
  issues: RecipeIssue[];
} {
  const others = Object.keys(given).filter((name) => translate(name, given[name]) !== undefined);
  const values = Object.fromEntries(Object.entries(given).filter(([name]) => !others.includes(name)));
  const names = new Map<string, string>();
  const issues: RecipeIssue[] = [];
  for (const name of others) {
    const translated = translate(name, given[name])!;
    if ("reason" in translated) {
      issues.push({ path: [name], message: translated.reason });
    } else if (translated.value !== undefined) {
      const { key, value } = translated;
      const path = key.split(".");
      if (hasPath(values, path))
        issues.push({ path: [name], message: givenTwice(name, key, names.get(key) ?? key) });
      else setPath(values, path, value);
      names.set(key, name);
    }
  }
  return { values, names, issues };
}

/** The same of a command line's options. */
function ownOverrides(given: Overrides): { overrides: Overrides; misnamed: string[] } {
  const overrides = new Map<string, { value: unknown; option: string }>();
  const misnamed: string[] = [];
  for (const [name, entry] of given) if (!translate(name, entry.value)) overrides.set(name, entry);
  for (const [name, { value: written, option }] of given) {
    const translated = translate(name, written);
    if (!translated) continue;
    if ("reason" in translated) {
      misnamed.push(`${option}: ${translated.reason}`);
    } else if (translated.value !== undefined) {
      const { key, value } = translated;
      const other = overrides.get(key)?.option;
      if (other !== undefined) misnamed.push(`${option}: ${givenTwice(name, key, other)}`);
      else overrides.set(key, { value, option });
    }
  }
  return { overrides, misnamed };
}

function givenTwice(name: string, key: string, other: string): string {
  return `${name} is another name of ${key}, but ${other} is given too. Remove one of them.`;
}

function taskIssues(recipe: Recipe | undefined, tasks: readonly Recipe["task"][] | undefined): RecipeIssue[] {
  if (recipe === undefined || tasks === undefined || tasks.includes(recipe.task)) return [];
  return [{ path: ["task"], message: otherTask(recipe, ...tasks) }];
}

/** Writes a resolved recipe; the file appears complete or not at all, and {@link loadRecipe} reads it back. */
export async function writeRecipe(path: string, recipe: Recipe): Promise<void> {
  const document = new yaml.Document(recipe);
  yaml.visit(document, {
    Seq: (_, list) => {
      list.flow = true;
    },
  });
  await makeDirectory(dirname(path));
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
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
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
    if (yaml.isMap(parent)) {
      const pair = parent.items.find(({ key }) => yaml.isScalar(key) && String(key.value) === String(name));
      if (pair && yaml.isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const item = document.getIn(path.slice(0, depth), true);
    if (yaml.isNode(item) && item.range) return item.range[0];
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
