import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Option } from "commander";
import {
  type GivenOptions,
  GROUPS,
  LAUNCH_OPTIONS,
  type LaunchOption,
  REFUSED_OPTIONS,
} from "../../distributed/launch/plan/launch-options.js";
import { ConfigurationError } from "../../errors.js";
import type { Define } from "../command.js";

const LATEST_EXIT_MS = 2_000;
const WAV2VEC2 = fileURLToPath(new URL("../../../bin/wav2vec2.js", import.meta.url));

export const defineLaunch: Define = (command, { exit }) => {
  const given: GivenOptions = new Map();
  for (const option of LAUNCH_OPTIONS)
    for (const [i, name] of spellings(option.name).entries())
      command.addOption(optionOf(option, name, i > 0, given));
  for (const [name, reason] of Object.entries(REFUSED_OPTIONS))
    for (const spelling of spellings(name)) {
      const refuse = (): never => {
        throw new ConfigurationError(`--${spelling} has no meaning here. ${reason}`);
      };
      command.addOption(new Option(`--${spelling} [value]`).preset("").hideHelp().argParser(refuse));
    }
  // What stands behind the command's name is the command's.
  command.parent?.enablePositionalOptions();
  command
    .passThroughOptions()
    .usage("[options] [--] <command> [options of the command]")
    .argument("[command...]", "what each process runs, such as: pretrain --config recipe.yaml")
    .addOption(
      new Option(
        "--program <file>",
        "a script of yours for Node.js instead of a command of wav2vec2",
      ).helpGroup(GROUPS.processes),
    )
    .addHelpText(
      "after",
      "\nOptions are torchrun's and accelerate's, also as PET_<NAME> variables. docs/launching.md shows commands side by side.",
    )
    .action(async (typed: string[], { program }: { program?: string }) => {
      const { planLaunch, thisMachine } = await import("../../distributed/launch/plan/launch-plan.js");
      const { launch } = await import("../../distributed/launch/launch.js");
      const onNote = (text: string): unknown => process.stderr.write(`${text}\n`);
      const { script, words, own } = scriptOf(typed, program);
      const plan = planLaunch(words, given, process.env, thisMachine(), onNote, own);
      try {
        exit(await launch(plan, { program: [process.execPath, script], env: { ...process.env }, onNote }));
      } finally {
        // A host that is gone may leave a call that waits for it.
        setTimeout(() => process.exit(), LATEST_EXIT_MS).unref();
      }
    });
};

/**
 * What each process runs: a script of one's own, given as `--program FILE`, `node FILE` or `FILE.mjs`, or this program.
 *
 * @throws ConfigurationError for `node` with options of Node.js, or without a script
 */
function scriptOf(
  words: readonly string[],
  program: string | undefined,
): { script: string; words: string[]; own: boolean } {
  if (program !== undefined) return { script: resolve(program), words: [...words], own: true };
  const [first = "", ...rest] = words;
  if (/\.[cm]?js$/.test(first)) return { script: resolve(first), words: rest, own: true };
  if (first !== "node") return { script: WAV2VEC2, words: [...words], own: false };
  const [script, ...others] = rest;
  if (script !== undefined && !script.startsWith("-"))
    return { script: resolve(script), words: others, own: true };
  throw new ConfigurationError(
    `node must be followed by a script, but is by ${script ?? "nothing"}. Put options of Node.js into NODE_OPTIONS.`,
  );
}

/** Both programs take underscores for hyphens. */
function spellings(name: string): string[] {
  return [...new Set([name, name.replaceAll("-", "_")])];
}

function optionOf(option: LaunchOption, spelling: string, hidden: boolean, given: GivenOptions): Option {
  const { name, value, short, group, description } = option;
  const flags = `${short !== undefined && !hidden ? `-${short}, ` : ""}--${spelling}${value === undefined ? "" : ` <${value}>`}`;
  const set = (text: string): string => {
    given.set(name, { value: text, from: `--${spelling}` });
    return text;
  };
  const made = new Option(flags, description).hideHelp(hidden).helpGroup(GROUPS[group]);
  // A switch has no value to parse.
  return value === undefined ? made.preset("true").argParser(set) : made.argParser(set);
}
