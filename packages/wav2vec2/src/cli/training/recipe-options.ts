import { type Command, Option } from "commander";
import { parse } from "yaml";
import { ConfigurationError } from "../../errors.js";
import type { Recipe } from "../../training/recipe/recipe.js";
import { ALIASES, REFUSED } from "../../training/recipe/recipe-aliases.js";
import type { Overrides } from "../../training/recipe/recipe-file.js";
import { type RecipeKey, recipeKeys } from "../../training/recipe/recipe-keys.js";
import { tasksOf } from "../../training/recipe/recipe-rules.js";

const directories: ReadonlySet<string> = new Set(["output", "data.root", "init"]);

/** Keys that have a short option of their own. */
const shortNames: Readonly<Record<string, string>> = {
  "data.root": "data",
  init: "model",
  init_revision: "revision",
};

/**
 * Gives `command` an option for every key of a recipe: kebab case, dots for nesting, so `--optimizer.learning-rate`
 * for `optimizer.learning_rate`. Keys of the network are open (`--model.hidden-size`), so those that `argv` uses
 * are added; keys of other tasks than `tasks` are not. Other projects' names are options too, which no help lists. What
 * was given is put into the map that comes back, while the command line is parsed.
 */
export function addRecipeOptions(
  command: Command,
  argv: readonly string[],
  tasks?: readonly Recipe["task"][],
): Overrides {
  const overrides = new Map<string, { value: unknown; option: string }>();
  const add = (key: RecipeKey, flag: string, hidden: boolean): void => {
    const description =
      key.default === undefined || key.description.includes("Default:")
        ? key.description
        : `${key.description} (${show(key.default)})`;
    // Switches may stand alone, as other projects' do: --fp16.
    const alone = key.type === "boolean" || Object.hasOwn(REFUSED, key.name);
    const value = alone ? `[${placeholder(key)}]` : `<${placeholder(key)}>`;
    const option = new Option(`${flag} ${value}`, description)
      .preset("true")
      .hideHelp(hidden)
      .helpGroup("Recipe keys:")
      .argParser((text) => overrides.set(key.name, { value: parseValue(key, text, flag), option: flag }));
    command.addOption(option);
  };
  for (const key of recipeKeys()) {
    if ((key.name === "task" && !(tasks && tasks.length > 1)) || belongsToOther(key.name, tasks)) continue;
    const flag = flagOf(key.name);
    const short = shortNames[key.name];
    if (key.type === "map") {
      for (const argument of argv) {
        const name = argument.split("=")[0]!;
        if (!name.startsWith(`${flag}.`) || command.options.some((option) => option.long === name)) continue;
        const inner = name.slice(flag.length + 1).replaceAll("-", "_");
        add({ name: `${key.name}.${inner}`, type: "map", description: "" }, name, true);
      }
      command.addHelpText("after", `\n${flag}.KEY VALUE sets a key of the network. ${key.description}.`);
      continue;
    }
    add(key, flag, short !== undefined);
    if (short !== undefined) add(key, `--${short}`, false);
    // As other projects write them.
    if (!key.name.includes(".") && key.name.includes("_")) add(key, `--${key.name}`, true);
  }
  for (const key of otherNames(tasks)) for (const flag of flagsOf(key.name)) add(key, flag, true);
  return overrides;
}

/** Names that other projects have for keys, and those that mean nothing here, to say why. */
function otherNames(tasks: readonly Recipe["task"][] | undefined): RecipeKey[] {
  const keys = new Map(recipeKeys().map((key) => [key.name, key]));
  const known = Object.entries(ALIASES).flatMap(([name, { key, type }]): RecipeKey[] => {
    if (belongsToOther(key, tasks)) return [];
    return [{ name, type: type ?? keys.get(key)?.type ?? "map", description: "" }];
  });
  const refused = Object.keys(REFUSED).map((name): RecipeKey => ({ name, type: "map", description: "" }));
  return [...known, ...refused];
}

/** Both ways to write a name of several words. */
function flagsOf(name: string): Set<string> {
  return new Set([flagOf(name), `--${name}`]);
}

/** Says on stderr which key a name of another project is. */
export function showName(text: string): void {
  process.stderr.write(`${text}\n`);
}

function belongsToOther(key: string, tasks: readonly Recipe["task"][] | undefined): boolean {
  const owners = tasksOf(key);
  return owners !== undefined && tasks !== undefined && !owners.some((owner) => tasks.includes(owner));
}

function parseValue(key: RecipeKey, text: string, flag: string): unknown {
  switch (key.type) {
    case "string":
      return text;
    case "list":
      return text.split(",").map(Number);
    case "words":
      return text.includes(",") ? text.split(",").map((word) => word.trim()) : text;
    case "map":
      return parseYaml(text, flag);
    case "number": {
      const value = Number(text);
      if (text.trim() !== "" && Number.isFinite(value)) return value;
      throw new ConfigurationError(`${flag} must be a number, but is '${text}'.`);
    }
    case "boolean":
      if (text === "true" || text === "false") return text === "true";
      throw new ConfigurationError(`${flag} must be true or false, but is '${text}'.`);
  }
}

function parseYaml(text: string, flag: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new ConfigurationError(`${flag} must be a value in YAML, but is '${text}'.`, { cause: error });
  }
}

function flagOf(name: string): string {
  return `--${name.replaceAll("_", "-")}`;
}

function placeholder(key: RecipeKey): string {
  if (directories.has(key.name)) return "dir";
  if (key.choices) return key.choices.join("|");
  return { string: "text", number: "number", boolean: "true|false", list: "a,b", words: "a,b", map: "value" }[
    key.type
  ];
}

function show(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : String(value);
}
